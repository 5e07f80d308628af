/* The names that _FORTIFY_SOURCE gives to calls whose buffer's size the compiler knows. Each
 * function checks the length against that size, and makes the plain call, which is the patched
 * one. */
#include "hub/patch/calls_priv.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#undef read
#undef pread
#undef recv
#undef recvfrom
#undef poll
#undef ppoll

/* libc's: reports the overflow of a buffer and ends the process. */
_Noreturn void __chk_fail(void);

#define CHECKED(length, size)                                                                      \
	do {                                                                                       \
		if ((length) > (size))                                                             \
			__chk_fail();                                                              \
	} while (0)

PATCH_EXPORT ssize_t
__read_chk(int fd, void *buffer, size_t length, size_t size)
{
	CHECKED(length, size);
	return read(fd, buffer, length);
}

PATCH_EXPORT ssize_t
__pread_chk(int fd, void *buffer, size_t length, off_t offset, size_t size)
{
	CHECKED(length, size);
	return pread(fd, buffer, length, offset);
}

extern __typeof__(__pread_chk) __pread64_chk __attribute__((alias("__pread_chk"))) PATCH_EXPORT;

PATCH_EXPORT ssize_t
__recv_chk(int fd, void *buffer, size_t length, size_t size, int flags)
{
	CHECKED(length, size);
	return recv(fd, buffer, length, flags);
}

PATCH_EXPORT ssize_t
__recvfrom_chk(int fd, void *buffer, size_t length, size_t size, int flags,
	struct sockaddr *address, socklen_t *address_size)
{
	CHECKED(length, size);
	return recvfrom(fd, buffer, length, flags, address, address_size);
}

PATCH_EXPORT int
__poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
	CHECKED(count, size / sizeof *fds);
	return poll(fds, count, timeout);
}

PATCH_EXPORT int
__ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
	size_t size)
{
	CHECKED(count, size / sizeof *fds);
	return ppoll(fds, count, timeout, mask);
}

PATCH_EXPORT int
__vdprintf_chk(int fd, int flag, const char *format, va_list arguments)
{
	(void)flag;
	return vdprintf(fd, format, arguments);
}

PATCH_EXPORT int
__dprintf_chk(int fd, int flag, const char *format, ...)
{
	va_list arguments;
	int length;

	(void)flag;
	va_start(arguments, format);
	length = vdprintf(fd, format, arguments);
	va_end(arguments);
	return length;
}

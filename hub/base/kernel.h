/* System calls straight to the kernel, for descriptors on a coroutine: each behaves as its namesake of section 2, errno
 * included, but is no cancellation point, costs no call of libc's, and is out of reach of libraries that put themselves before
 * libc's wrappers, as hub/patch does. Under sanitizers they are libc's, which look on. */
#ifndef HUBBUB_BASE_KERNEL_H
#define HUBBUB_BASE_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define KERNEL_BY_LIBC
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define KERNEL_BY_LIBC
#endif
#endif

/* In between, what this thread calls of libc's is the hub's own, even on a coroutine: hub_can_wait says no. For libraries
 * that call libc where nobody else may run. */
extern _Thread_local unsigned hub_kernel_calls
	__attribute__((visibility("default"), tls_model("initial-exec")));

static inline void
kernel_calls_begin(void)
{
	hub_kernel_calls++;
}

static inline void
kernel_calls_end(void)
{
	hub_kernel_calls--;
}

static inline bool
kernel_is_calling(void)
{
	return hub_kernel_calls > 0;
}

#ifndef KERNEL_BY_LIBC

/* Six arguments, used or not: a register that the kernel does not look at costs nothing worth knowing. */
static inline __attribute__((always_inline)) long
kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	result = x0;
#endif
	if (__builtin_expect(result < 0 && result >= -4095, 0)) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

#define KERNEL_CALL(libc, number, a, b, c, d, e, f)                                                \
	kernel_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#else

static inline long
kernel_called(long result)
{
	kernel_calls_end();
	return result;
}

#define KERNEL_CALL(libc, number, a, b, c, d, e, f) (kernel_calls_begin(), kernel_called(libc))

#endif

static inline ssize_t
kernel_read(int fd, void *buffer, size_t length)
{
	return KERNEL_CALL(read(fd, buffer, length), SYS_read, fd, buffer, length, 0, 0, 0);
}

static inline ssize_t
kernel_readv(int fd, const struct iovec *parts, int count)
{
	return KERNEL_CALL(readv(fd, parts, count), SYS_readv, fd, parts, count, 0, 0, 0);
}

static inline ssize_t
kernel_write(int fd, const void *buffer, size_t length)
{
	return KERNEL_CALL(write(fd, buffer, length), SYS_write, fd, buffer, length, 0, 0, 0);
}

static inline ssize_t
kernel_writev(int fd, const struct iovec *parts, int count)
{
	return KERNEL_CALL(writev(fd, parts, count), SYS_writev, fd, parts, count, 0, 0, 0);
}

static inline ssize_t
kernel_recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length)
{
	return KERNEL_CALL(recvfrom(fd, buffer, length, flags, address, address_length),
		SYS_recvfrom, fd, buffer, length, flags, address, address_length);
}

static inline ssize_t
kernel_recvmsg(int fd, struct msghdr *message, int flags)
{
	return KERNEL_CALL(recvmsg(fd, message, flags), SYS_recvmsg, fd, message, flags, 0, 0, 0);
}

static inline ssize_t
kernel_sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *address,
	socklen_t address_length)
{
	return KERNEL_CALL(sendto(fd, buffer, length, flags, address, address_length), SYS_sendto,
		fd, buffer, length, flags, address, address_length);
}

static inline ssize_t
kernel_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return KERNEL_CALL(sendmsg(fd, message, flags), SYS_sendmsg, fd, message, flags, 0, 0, 0);
}

static inline int
kernel_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	return (int)KERNEL_CALL(
		accept4(fd, address, length, flags), SYS_accept4, fd, address, length, flags, 0, 0);
}

static inline int
kernel_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)KERNEL_CALL(
		connect(fd, address, length), SYS_connect, fd, address, length, 0, 0, 0);
}

static inline int
kernel_socket(int domain, int type, int protocol)
{
	return (int)KERNEL_CALL(
		socket(domain, type, protocol), SYS_socket, domain, type, protocol, 0, 0, 0);
}

static inline int
kernel_close(int fd)
{
	return (int)KERNEL_CALL(close(fd), SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline int
kernel_fcntl(int fd, int command, long argument)
{
	return (int)KERNEL_CALL(
		fcntl(fd, command, argument), SYS_fcntl, fd, command, argument, 0, 0, 0);
}

/* -1 and errno, or the new descriptor. */
static inline int
kernel_open(const char *path, int flags, mode_t mode)
{
	return (int)KERNEL_CALL(
		openat(AT_FDCWD, path, flags, mode), SYS_openat, AT_FDCWD, path, flags, mode, 0, 0);
}

static inline int
kernel_pipe2(int ends[2], int flags)
{
	return (int)KERNEL_CALL(pipe2(ends, flags), SYS_pipe2, ends, flags, 0, 0, 0, 0);
}

static inline ssize_t
kernel_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	/* The kernel takes the offset in two halves, of which the first is whole on 64-bit machines. */
	return KERNEL_CALL(preadv2(fd, parts, count, offset, flags), SYS_preadv2, fd, parts, count,
		offset, 0, flags);
}

static inline ssize_t
kernel_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	return KERNEL_CALL(pwritev2(fd, parts, count, offset, flags), SYS_pwritev2, fd, parts,
		count, offset, 0, flags);
}

static inline ssize_t
kernel_sendfile(int out, int in, off_t *offset, size_t count)
{
	return KERNEL_CALL(
		sendfile(out, in, offset, count), SYS_sendfile, out, in, offset, count, 0, 0);
}

static inline int
kernel_waitid(idtype_t kind, id_t id, siginfo_t *info, int options)
{
	return (int)KERNEL_CALL(
		waitid(kind, id, info, options), SYS_waitid, kind, id, info, options, NULL, 0);
}

static inline pid_t
kernel_getpid(void)
{
	return (pid_t)KERNEL_CALL(getpid(), SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int
kernel_madvise(void *address, size_t length, int advice)
{
	return (int)KERNEL_CALL(
		madvise(address, length, advice), SYS_madvise, address, length, advice, 0, 0, 0);
}

/* poll(2) that does not wait. */
static inline int
kernel_poll_now(struct pollfd *fds, nfds_t count)
{
	static const struct timespec at_once;

	return (int)KERNEL_CALL(
		ppoll(fds, count, &at_once, NULL), SYS_ppoll, fds, count, &at_once, NULL, 8, 0);
}

#endif

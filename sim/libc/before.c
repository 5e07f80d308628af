/* Libc's names: a program's calls on descriptors of the world reach the simulated kernel, all
 * others the real one. Trouble is for calls that the hub makes; a program's own calls are not
 * interrupted. A call that would block is an error of the program: it would block its thread, and
 * in a simulated world everything else with it. */
#include <errno.h>
#include <stdarg.h>

#include "hub/base/kernel.h"
#include "sim/door/door_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/libc/before_priv.h"
#include "sim/world/world_priv.h"

/* ---- descriptors ---- */

EXPORT int
socket(int domain, int type, int protocol)
{
	return is_in_world() ? kernel_socket(domain, type, protocol)
			     : real_socket(domain, type, protocol);
}

EXPORT int
socketpair(int domain, int type, int protocol, int fds[2])
{
	return is_in_world() ? sim_socketpair(domain, type, fds)
			     : (int)syscall(SYS_socketpair, domain, type, protocol, fds);
}

EXPORT int
pipe2(int ends[2], int flags)
{
	return is_in_world() ? kernel_pipe2(ends, flags) : real_pipe2(ends, flags);
}

EXPORT int
pipe(int ends[2])
{
	return pipe2(ends, 0);
}

EXPORT int
eventfd(unsigned count, int flags)
{
	return is_in_world() ? kernel_eventfd(count, flags) : real_eventfd(count, flags);
}

EXPORT int
close(int fd)
{
	return kernel_close(fd);
}

EXPORT int
dup(int fd)
{
	return files_has(fd) ? kernel_fcntl(fd, F_DUPFD, 0) : (int)syscall(SYS_dup, fd);
}

/* dup2(2), which not every machine has. */
static long
dup_to(int from, int to)
{
	if (from == to)
		return syscall(SYS_fcntl, from, F_GETFD) != -1 ? to : -1;
	return syscall(SYS_dup3, from, to, 0);
}

EXPORT int
dup2(int from, int to)
{
	return files_has(from) || files_has(to) ? kernel_dup2(from, to) : (int)dup_to(from, to);
}

EXPORT int
fcntl(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return kernel_fcntl(fd, command, argument);
}

/* ---- sockets ---- */

EXPORT int
bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return files_has(fd) ? kernel_bind(fd, address, length)
			     : (int)syscall(SYS_bind, fd, address, length);
}

EXPORT int
listen(int fd, int backlog)
{
	return files_has(fd) ? kernel_listen(fd, backlog) : (int)syscall(SYS_listen, fd, backlog);
}

EXPORT int
getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return files_has(fd) ? sim_getname(fd, false, address, length)
			     : (int)syscall(SYS_getsockname, fd, address, length);
}

EXPORT int
getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	return files_has(fd) ? sim_getname(fd, true, address, length)
			     : (int)syscall(SYS_getpeername, fd, address, length);
}

EXPORT int
getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	return kernel_getsockopt(fd, level, option, value, length);
}

EXPORT int
setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	return kernel_setsockopt(fd, level, option, value, length);
}

EXPORT int
shutdown(int fd, int how)
{
	return kernel_shutdown(fd, how);
}

/* ---- transfers ---- */

EXPORT ssize_t
read(int fd, void *buffer, size_t length)
{
	return never_blocks(fd, "read", kernel_read(fd, buffer, length));
}

EXPORT ssize_t
write(int fd, const void *buffer, size_t length)
{
	return never_blocks(fd, "write", kernel_write(fd, buffer, length));
}

EXPORT ssize_t
recv(int fd, void *buffer, size_t length, int flags)
{
	ssize_t got = kernel_recvfrom(fd, buffer, length, flags, NULL, NULL);

	return flags & MSG_DONTWAIT ? got : never_blocks(fd, "recv", got);
}

EXPORT ssize_t
send(int fd, const void *buffer, size_t length, int flags)
{
	ssize_t sent = kernel_sendto(fd, buffer, length, flags, NULL, 0);

	return flags & MSG_DONTWAIT ? sent : never_blocks(fd, "send", sent);
}

EXPORT int
connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct file *file = files_has(fd) ? files_get(fd) : NULL;
	int result = kernel_connect(fd, address, length);

	/* Others than TCP are connected at once. */
	if (result == -1 && errno == EINPROGRESS && file != NULL && !(file->flags & O_NONBLOCK))
		world_fail("connect blocks on descriptor %d: call hub_connect", fd);
	return result;
}

EXPORT int
accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	return (int)never_blocks(fd, "accept", kernel_accept4(fd, address, length, flags));
}

EXPORT int
accept(int fd, struct sockaddr *address, socklen_t *length)
{
	return accept4(fd, address, length, 0);
}

EXPORT ssize_t
sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *address,
	socklen_t address_length)
{
	ssize_t sent = kernel_sendto(fd, buffer, length, flags, address, address_length);

	return flags & MSG_DONTWAIT ? sent : never_blocks(fd, "sendto", sent);
}

EXPORT ssize_t
recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length)
{
	ssize_t got = kernel_recvfrom(fd, buffer, length, flags, address, address_length);

	return flags & MSG_DONTWAIT ? got : never_blocks(fd, "recvfrom", got);
}

EXPORT ssize_t
readv(int fd, const struct iovec *parts, int count)
{
	return never_blocks(fd, "readv", kernel_readv(fd, parts, count));
}

EXPORT ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	return never_blocks(fd, "writev", kernel_writev(fd, parts, count));
}

EXPORT ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent = kernel_sendmsg(fd, message, flags);

	return flags & MSG_DONTWAIT ? sent : never_blocks(fd, "sendmsg", sent);
}

EXPORT ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got = kernel_recvmsg(fd, message, flags);

	return flags & MSG_DONTWAIT ? got : never_blocks(fd, "recvmsg", got);
}

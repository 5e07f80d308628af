/* The door to the kernel: in hub/, all code that asks the kernel or the clock calls a function of
 * this header, and libev through the door's other half, loop.h. tests/lint/door finds calls that go
 * past it. hub/patch is on the other side: it stands before libc's calls, not behind the door.
 *
 * Each function behaves as its namesake of section 2 of the manual, errno included. Calls on file
 * descriptors that coroutines make go straight to the kernel: they are no cancellation points, cost
 * no call of libc, and cannot be replaced by libraries that stand before libc's functions, as
 * hub/patch does. Under sanitizers they are libc's, so that the sanitizers see them. Calls that
 * libc has a part in (the clock, signals, processes, names) are always libc's.
 *
 * A simulation of the kernel replaces this header and loop.h. Two things go past the door, and a
 * simulation does without them: memory (malloc), and threads (pthread_...), which only
 * thread/threads.c and the watchdog start. */
#ifndef HUBBUB_BASE_KERNEL_H
#define HUBBUB_BASE_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/inside.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define KERNEL_BY_LIBC
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define KERNEL_BY_LIBC
#endif
#endif

/* Between bypass_begin and bypass_end this thread's calls of libc block the thread, even on a
 * coroutine: hub_can_wait is false, so hub/patch leaves the calls to libc. For libraries that call
 * libc where no other coroutine may run. */
extern _Thread_local unsigned hub_bypasses HUB_INSIDE(hub_bypasses)
	__attribute__((tls_model("initial-exec")));

static inline void
bypass_begin(void)
{
	hub_bypasses++;
}

static inline void
bypass_end(void)
{
	hub_bypasses--;
}

static inline bool
bypass_is_on(void)
{
	return hub_bypasses > 0;
}

#ifndef KERNEL_BY_LIBC

/* There are always six arguments: a register that the kernel does not read costs next to
 * nothing. */
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
	bypass_end();
	return result;
}

#define KERNEL_CALL(libc, number, a, b, c, d, e, f) (bypass_begin(), kernel_called(libc))

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

/* A system call under sanitizers, too: hub/patch stands before libc's fcntl, and shows O_NONBLOCK
 * as the application has set it. */
static inline int
kernel_fcntl(int fd, int command, long argument)
{
	return (int)KERNEL_CALL(syscall(SYS_fcntl, fd, command, argument), SYS_fcntl, fd, command,
		argument, 0, 0, 0);
}

/* Returns the new fd, or -1 with errno. */
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
	/* The kernel takes the offset as two arguments, of which on 64-bit machines the first holds
	 * all. */
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

static inline ssize_t
kernel_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags)
{
	return KERNEL_CALL(splice(in, in_offset, out, out_offset, length, flags), SYS_splice, in,
		in_offset, out, out_offset, length, flags);
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
kernel_fstat(int fd, struct stat *status)
{
	return (int)KERNEL_CALL(fstat(fd, status), SYS_fstat, fd, status, 0, 0, 0, 0);
}

static inline int
kernel_fstatfs(int fd, struct statfs *status)
{
	return (int)KERNEL_CALL(fstatfs(fd, status), SYS_fstatfs, fd, status, 0, 0, 0, 0);
}

static inline off_t
kernel_lseek(int fd, off_t offset, int whence)
{
	return KERNEL_CALL(lseek(fd, offset, whence), SYS_lseek, fd, offset, whence, 0, 0, 0);
}

static inline ssize_t
kernel_preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
	return KERNEL_CALL(
		preadv(fd, parts, count, offset), SYS_preadv, fd, parts, count, offset, 0, 0);
}

static inline ssize_t
kernel_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return KERNEL_CALL(
		pwritev(fd, parts, count, offset), SYS_pwritev, fd, parts, count, offset, 0, 0);
}

static inline int
kernel_fsync(int fd)
{
	return (int)KERNEL_CALL(fsync(fd), SYS_fsync, fd, 0, 0, 0, 0, 0);
}

static inline int
kernel_fdatasync(int fd)
{
	return (int)KERNEL_CALL(fdatasync(fd), SYS_fdatasync, fd, 0, 0, 0, 0, 0);
}

static inline int
kernel_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	return (int)KERNEL_CALL(getsockopt(fd, level, option, value, length), SYS_getsockopt, fd,
		level, option, value, length, 0);
}

static inline int
kernel_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	return (int)KERNEL_CALL(setsockopt(fd, level, option, value, length), SYS_setsockopt, fd,
		level, option, value, length, 0);
}

static inline int
kernel_shutdown(int fd, int how)
{
	return (int)KERNEL_CALL(shutdown(fd, how), SYS_shutdown, fd, how, 0, 0, 0, 0);
}

/* A system call under sanitizers, too, as is kernel_eventfd: io/own.c stands before libc's. */
static inline int
kernel_epoll_create1(int flags)
{
	return (int)KERNEL_CALL(
		syscall(SYS_epoll_create1, flags), SYS_epoll_create1, flags, 0, 0, 0, 0, 0);
}

/* A system call under sanitizers, too: io/libev.c stands before libc's. */
static inline int
kernel_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	return (int)KERNEL_CALL(syscall(SYS_epoll_ctl, set, operation, fd, event), SYS_epoll_ctl,
		set, operation, fd, event, 0, 0);
}

/* epoll_wait(2) with a timeout of 0. */
static inline int
kernel_epoll_wait_now(int set, struct epoll_event *events, int most)
{
	return (int)KERNEL_CALL(epoll_pwait(set, events, most, 0, NULL), SYS_epoll_pwait, set,
		events, most, 0, NULL, 8);
}

static inline int
kernel_eventfd(unsigned count, int flags)
{
	return (int)KERNEL_CALL(
		syscall(SYS_eventfd2, count, flags), SYS_eventfd2, count, flags, 0, 0, 0, 0);
}

static inline void *
kernel_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return (void *)KERNEL_CALL((long)mmap(at, length, protection, flags, fd, offset), SYS_mmap,
		at, length, protection, flags, fd, offset);
}

static inline int
kernel_memfd_create(const char *name, unsigned flags)
{
	return (int)KERNEL_CALL(
		memfd_create(name, flags), SYS_memfd_create, name, flags, 0, 0, 0, 0);
}

static inline int
kernel_ftruncate(int fd, off_t length)
{
	return (int)KERNEL_CALL(ftruncate(fd, length), SYS_ftruncate, fd, length, 0, 0, 0, 0);
}

static inline int
kernel_munmap(void *address, size_t length)
{
	return (int)KERNEL_CALL(munmap(address, length), SYS_munmap, address, length, 0, 0, 0, 0);
}

static inline int
kernel_mprotect(void *address, size_t length, int protection)
{
	return (int)KERNEL_CALL(mprotect(address, length, protection), SYS_mprotect, address,
		length, protection, 0, 0, 0);
}

static inline int
kernel_madvise(void *address, size_t length, int advice)
{
	return (int)KERNEL_CALL(
		madvise(address, length, advice), SYS_madvise, address, length, advice, 0, 0, 0);
}

/* process_vm_readv(2) of this process: fails with EFAULT where reading would be a fault. */
static inline ssize_t
kernel_read_own(void *to, const void *from, size_t length)
{
	struct iovec own = {to, length}, other = {(void *)(uintptr_t)from, length};
	pid_t pid = kernel_getpid();

	return KERNEL_CALL(process_vm_readv(pid, &own, 1, &other, 1, 0), SYS_process_vm_readv, pid,
		&own, 1, &other, 1, 0);
}

static inline int
kernel_mlock(const void *address, size_t length)
{
	return (int)KERNEL_CALL(
		mlock(address, length), SYS_mlock, (void *)address, length, 0, 0, 0, 0);
}

/* futex(2): FUTEX_WAIT_PRIVATE, without a timeout, and FUTEX_WAKE_PRIVATE. */
static inline int
kernel_futex(int *word, int operation, int value)
{
	return (int)KERNEL_CALL(syscall(SYS_futex, word, operation, value, NULL), SYS_futex, word,
		operation, value, NULL, 0, 0);
}

/* poll(2) with a timeout of 0. */
static inline int
kernel_poll_now(struct pollfd *fds, nfds_t count)
{
	static const struct timespec at_once;

	return (int)KERNEL_CALL(
		ppoll(fds, count, &at_once, NULL), SYS_ppoll, fds, count, &at_once, NULL, 8, 0);
}

/* ---- libc's ---- */

/* libc's, because a preloaded library such as authbind may stand before it, to lend a port below
 * 1024. */
static inline int
kernel_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind(fd, address, length);
}

static inline int
kernel_listen(int fd, int backlog)
{
	return listen(fd, backlog);
}

/* dprintf(3), for reports: a line may be written in several pieces. */
static inline __attribute__((format(printf, 2, 3))) int
kernel_dprintf(int fd, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	bypass_begin();
	length = vdprintf(fd, format, arguments);
	bypass_end();
	va_end(arguments);
	return length;
}

/* clock_gettime(2), which the vDSO answers without the kernel. */
static inline int
kernel_clock(clockid_t clock, struct timespec *now)
{
	return clock_gettime(clock, now);
}

/* Blocks the thread: for threads that run no hub. */
static inline int
kernel_nanosleep(const struct timespec *time)
{
	return nanosleep(time, NULL);
}

static inline int
kernel_sched_yield(void)
{
	return sched_yield();
}

/* Of the calling thread. */
static inline int
kernel_sched_getaffinity(size_t size, cpu_set_t *set)
{
	return sched_getaffinity(0, size, set);
}

static inline int
kernel_access(const char *path, int mode)
{
	return access(path, mode);
}

static inline int
kernel_dup2(int from, int to)
{
	return dup2(from, to);
}

static inline int
kernel_getrlimit(int resource, struct rlimit *limit)
{
	return getrlimit((__rlimit_resource_t)resource, limit);
}

static inline pid_t
kernel_gettid(void)
{
	return gettid();
}

static inline pid_t
kernel_fork(void)
{
	return fork();
}

static inline int
kernel_raise(int signal)
{
	return raise(signal);
}

static inline int
kernel_close_range(unsigned first, unsigned last, int flags)
{
	return close_range(first, last, flags);
}

static inline int
kernel_kill(pid_t pid, int signal)
{
	return kill(pid, signal);
}

static inline int
kernel_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	return posix_spawnp(pid, file, actions, attributes, arguments, environment);
}

static inline int
kernel_pidfd_open(pid_t pid, unsigned flags)
{
	return pidfd_open(pid, flags);
}

static inline int
kernel_pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	return pidfd_getfd(pidfd, fd, flags);
}

static inline int
kernel_pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned flags)
{
	return pidfd_send_signal(pidfd, signal, info, flags);
}

static inline int
kernel_sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
	return sigaction(number, action, before);
}

static inline int
kernel_sigaltstack(const stack_t *stack, stack_t *before)
{
	return sigaltstack(stack, before);
}

static inline int
kernel_sigpending(sigset_t *set)
{
	return sigpending(set);
}

/* pthread_sigmask(3) of the kernel's thread, even on a coroutine that is a thread to the program
 * (hub/patch). It cannot fail. */
static inline void
kernel_sigmask(int how, const sigset_t *set, sigset_t *before)
{
	bypass_begin();
	pthread_sigmask(how, set, before);
	bypass_end();
}

static inline int
kernel_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *time)
{
	return sigtimedwait(set, info, time);
}

static inline int
kernel_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **addresses)
{
	return getaddrinfo(host, service, hints, addresses);
}

#endif

/* The door to the simulated kernel, in the place of hub/base/kernel.h: libhubbub-sim is compiled
 * with sim/instead before the tree. The calls that the world simulates are functions here (door.c,
 * transfer.c, socket.c, memory.c); the real ones keep their bodies under the names real_..., for
 * descriptors that are not the world's. All others, as of signals, are the real ones.
 * tests/lint/door compares the two headers. */
#ifndef HUBBUB_SIM_KERNEL_H
#define HUBBUB_SIM_KERNEL_H

#define kernel_read real_read
#define kernel_readv real_readv
#define kernel_write real_write
#define kernel_writev real_writev
#define kernel_recvfrom real_recvfrom
#define kernel_recvmsg real_recvmsg
#define kernel_sendto real_sendto
#define kernel_sendmsg real_sendmsg
#define kernel_accept4 real_accept4
#define kernel_connect real_connect
#define kernel_socket real_socket
#define kernel_close real_close
#define kernel_fcntl real_fcntl
#define kernel_pipe2 real_pipe2
#define kernel_preadv2 real_preadv2
#define kernel_pwritev2 real_pwritev2
#define kernel_sendfile real_sendfile
#define kernel_splice real_splice
#define kernel_fstat real_fstat
#define kernel_fstatfs real_fstatfs
#define kernel_lseek real_lseek
#define kernel_preadv real_preadv
#define kernel_pwritev real_pwritev
#define kernel_fsync real_fsync
#define kernel_fdatasync real_fdatasync
#define kernel_getsockopt real_getsockopt
#define kernel_setsockopt real_setsockopt
#define kernel_shutdown real_shutdown
#define kernel_epoll_create1 real_epoll_create1
#define kernel_epoll_ctl real_epoll_ctl
#define kernel_epoll_wait_now real_epoll_wait_now
#define kernel_eventfd real_eventfd
#define kernel_poll_now real_poll_now
#define kernel_bind real_bind
#define kernel_listen real_listen
#define kernel_clock real_clock
#define kernel_nanosleep real_nanosleep
#define kernel_dup2 real_dup2
#define kernel_getaddrinfo real_getaddrinfo
#define kernel_fork real_fork
#define kernel_posix_spawnp real_posix_spawnp
#define kernel_open real_open
#define kernel_ftruncate real_ftruncate
#define kernel_access real_access
#define kernel_mmap real_mmap
#define kernel_mprotect real_mprotect
#define kernel_sched_yield real_sched_yield
#define kernel_sched_getaffinity real_sched_getaffinity

#include "../../../../hub/base/kernel.h" /* the real one */

#undef kernel_read
#undef kernel_readv
#undef kernel_write
#undef kernel_writev
#undef kernel_recvfrom
#undef kernel_recvmsg
#undef kernel_sendto
#undef kernel_sendmsg
#undef kernel_accept4
#undef kernel_connect
#undef kernel_socket
#undef kernel_close
#undef kernel_fcntl
#undef kernel_pipe2
#undef kernel_preadv2
#undef kernel_pwritev2
#undef kernel_sendfile
#undef kernel_splice
#undef kernel_fstat
#undef kernel_fstatfs
#undef kernel_lseek
#undef kernel_preadv
#undef kernel_pwritev
#undef kernel_fsync
#undef kernel_fdatasync
#undef kernel_getsockopt
#undef kernel_setsockopt
#undef kernel_shutdown
#undef kernel_epoll_create1
#undef kernel_epoll_ctl
#undef kernel_epoll_wait_now
#undef kernel_eventfd
#undef kernel_poll_now
#undef kernel_bind
#undef kernel_listen
#undef kernel_clock
#undef kernel_nanosleep
#undef kernel_dup2
#undef kernel_getaddrinfo
#undef kernel_fork
#undef kernel_posix_spawnp
#undef kernel_open
#undef kernel_ftruncate
#undef kernel_access
#undef kernel_mmap
#undef kernel_mprotect
#undef kernel_sched_yield
#undef kernel_sched_getaffinity

#include "hub/base/inside.h" /* libhubbub-sim-tls needs four of them */

ssize_t kernel_read(int fd, void *buffer, size_t length);
ssize_t kernel_readv(int fd, const struct iovec *parts, int count);
ssize_t kernel_write(int fd, const void *buffer, size_t length);
ssize_t kernel_writev(int fd, const struct iovec *parts, int count);
ssize_t kernel_recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length) HUB_INSIDE(kernel_recvfrom);
ssize_t kernel_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t kernel_sendto(int fd, const void *buffer, size_t length, int flags,
	const struct sockaddr *address, socklen_t address_length) HUB_INSIDE(kernel_sendto);
ssize_t kernel_sendmsg(int fd, const struct msghdr *message, int flags);
int kernel_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int kernel_connect(int fd, const struct sockaddr *address, socklen_t length);
int kernel_socket(int domain, int type, int protocol);
int kernel_close(int fd) HUB_INSIDE(kernel_close);
int kernel_fcntl(int fd, int command, long argument);
int kernel_access(const char *path, int mode);
int kernel_open(const char *path, int flags, mode_t mode) HUB_INSIDE(kernel_open);
int kernel_pipe2(int ends[2], int flags);
ssize_t kernel_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags);
ssize_t kernel_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags);
ssize_t kernel_sendfile(int out, int in, off_t *offset, size_t count);
ssize_t kernel_splice(
	int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags);
int kernel_fstat(int fd, struct stat *status);
int kernel_fstatfs(int fd, struct statfs *status);
off_t kernel_lseek(int fd, off_t offset, int whence);
ssize_t kernel_preadv(int fd, const struct iovec *parts, int count, off_t offset);
ssize_t kernel_pwritev(int fd, const struct iovec *parts, int count, off_t offset);
int kernel_ftruncate(int fd, off_t length);
int kernel_fsync(int fd);
int kernel_fdatasync(int fd);
int kernel_getsockopt(int fd, int level, int option, void *value, socklen_t *length);
int kernel_setsockopt(int fd, int level, int option, const void *value, socklen_t length);
int kernel_shutdown(int fd, int how);
int kernel_epoll_create1(int flags);
int kernel_epoll_ctl(int set, int operation, int fd, struct epoll_event *event);
int kernel_epoll_wait_now(int set, struct epoll_event *events, int most);
int kernel_eventfd(unsigned count, int flags);
int kernel_sched_yield(void);
int kernel_sched_getaffinity(size_t size, cpu_set_t *set);
int kernel_poll_now(struct pollfd *fds, nfds_t count);
int kernel_bind(int fd, const struct sockaddr *address, socklen_t length);
int kernel_listen(int fd, int backlog);
int kernel_clock(clockid_t clock, struct timespec *now) HUB_INSIDE(kernel_clock);
int kernel_nanosleep(const struct timespec *time);
int kernel_dup2(int from, int to);
int kernel_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **addresses);
pid_t kernel_fork(void);
int kernel_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]);
void *kernel_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
int kernel_mprotect(void *address, size_t length, int protection);

/* The same, within which no other hub goes on first. OpenSSL, which calls what calls them, keeps
 * its errors in the real thread, which all hubs share. */
ssize_t sim_recvfrom_at_once(int fd, void *buffer, size_t length, int flags,
	struct sockaddr *address, socklen_t *address_length) HUB_INSIDE(sim_recvfrom_at_once);
ssize_t sim_sendto_at_once(int fd, const void *buffer, size_t length, int flags,
	const struct sockaddr *address, socklen_t address_length) HUB_INSIDE(sim_sendto_at_once);
#ifdef SIM_CALLS_AT_ONCE
#define kernel_recvfrom sim_recvfrom_at_once
#define kernel_sendto sim_sendto_at_once
#endif

#endif

/* The calls that are patched, one per line. Everything that enumerates them is generated from this table or checked
 * against it: the functions that stand before libc's (wrappers.c), the pointers to libc's (real.c), the query (patch.c),
 * the report (report.c), the tests and the README's list.
 *
 *	CALL(kind, family, result, name, parameters, arguments)
 *
 *	WAITS     on a coroutine patch_NAME, which suspends it; elsewhere libc's own
 *	NOTES     always patch_NAME, which calls libc's own and records what that means for file descriptors, signals or
 *	          threads
 *	BLOCKS    always libc's own, timed for the report */
#ifndef HUBBUB_PATCH_CALLS_H
#define HUBBUB_PATCH_CALLS_H

#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
#define PATCH_CALLS(CALL) \
	CALL(WAITS, OS, ssize_t, read, (int fd, void *buffer, size_t length), (fd, buffer, length)) \
	CALL(WAITS, OS, ssize_t, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count)) \
	CALL(WAITS, OS, ssize_t, write, (int fd, const void *buffer, size_t length), (fd, buffer, length)) \
	CALL(WAITS, OS, ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count)) \
	CALL(WAITS, OS, ssize_t, pread, (int fd, void *buffer, size_t length, off_t offset), (fd, buffer, length, offset)) \
	CALL(WAITS, OS, ssize_t, pwrite, (int fd, const void *buffer, size_t length, off_t offset), (fd, buffer, length, offset)) \
	CALL(WAITS, OS, ssize_t, preadv, (int fd, const struct iovec *parts, int count, off_t offset), (fd, parts, count, offset)) \
	CALL(WAITS, OS, ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t offset), (fd, parts, count, offset)) \
	CALL(WAITS, OS, ssize_t, preadv2, (int fd, const struct iovec *parts, int count, off_t offset, int flags), (fd, parts, count, offset, flags)) \
	CALL(WAITS, OS, ssize_t, pwritev2, (int fd, const struct iovec *parts, int count, off_t offset, int flags), (fd, parts, count, offset, flags)) \
	CALL(WAITS, OS, ssize_t, sendfile, (int out, int in, off_t *offset, size_t count), (out, in, offset, count)) \
	CALL(WAITS, OS, ssize_t, splice, (int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags), (in, in_offset, out, out_offset, length, flags)) \
	CALL(WAITS, OS, ssize_t, tee, (int in, int out, size_t length, unsigned flags), (in, out, length, flags)) \
	CALL(WAITS, OS, ssize_t, vmsplice, (int fd, const struct iovec *parts, size_t count, unsigned flags), (fd, parts, count, flags)) \
	CALL(WAITS, OS, ssize_t, copy_file_range, (int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags), (in, in_offset, out, out_offset, length, flags)) \
	CALL(WAITS, OS, int, eventfd_read, (int fd, eventfd_t *value), (fd, value)) \
	CALL(WAITS, OS, int, eventfd_write, (int fd, eventfd_t value), (fd, value)) \
	CALL(WAITS, OS, int, vdprintf, (int fd, const char *format, va_list arguments), (fd, format, arguments)) \
	CALL(WAITS, OS, int, flock, (int fd, int operation), (fd, operation)) \
	CALL(WAITS, OS, int, lockf, (int fd, int command, off_t length), (fd, command, length)) \
	CALL(WAITS, OS, ssize_t, msgrcv, (int queue, void *message, size_t size, long type, int flags), (queue, message, size, type, flags)) \
	CALL(WAITS, OS, int, msgsnd, (int queue, const void *message, size_t size, int flags), (queue, message, size, flags)) \
	CALL(WAITS, OS, int, semop, (int set, struct sembuf *operations, size_t count), (set, operations, count)) \
	CALL(WAITS, OS, int, semtimedop, (int set, struct sembuf *operations, size_t count, const struct timespec *timeout), (set, operations, count, timeout)) \
	CALL(WAITS, OS, ssize_t, mq_receive, (mqd_t queue, char *message, size_t size, unsigned *priority), (queue, message, size, priority)) \
	CALL(WAITS, OS, ssize_t, mq_timedreceive, (mqd_t queue, char *message, size_t size, unsigned *priority, const struct timespec *end), (queue, message, size, priority, end)) \
	CALL(WAITS, OS, int, mq_send, (mqd_t queue, const char *message, size_t size, unsigned priority), (queue, message, size, priority)) \
	CALL(WAITS, OS, int, mq_timedsend, (mqd_t queue, const char *message, size_t size, unsigned priority, const struct timespec *end), (queue, message, size, priority, end)) \
	CALL(NOTES, OS, int, close, (int fd), (fd)) \
	CALL(NOTES, OS, int, close_range, (unsigned first, unsigned last, int flags), (first, last, flags)) \
	CALL(NOTES, OS, void, closefrom, (int first), (first)) \
	CALL(NOTES, OS, int, dup, (int fd), (fd)) \
	CALL(NOTES, OS, int, dup2, (int fd, int to), (fd, to)) \
	CALL(NOTES, OS, int, dup3, (int fd, int to, int flags), (fd, to, flags)) \
	CALL(NOTES, OS, int, pipe, (int ends[2]), (ends)) \
	CALL(NOTES, OS, int, pipe2, (int ends[2], int flags), (ends, flags)) \
	CALL(NOTES, OS, int, fclose, (FILE *stream), (stream)) \
	CALL(NOTES, OS, FILE *, freopen, (const char *path, const char *mode, FILE *stream), (path, mode, stream)) \
	CALL(NOTES, OS, int, daemon, (int keeps_directory, int keeps_streams), (keeps_directory, keeps_streams)) \
	CALL(NOTES, OS, FILE *, fdopen, (int fd, const char *mode), (fd, mode)) \
	CALL(NOTES, OS, int, execve, (const char *path, char *const arguments[], char *const environment[]), (path, arguments, environment)) \
	CALL(NOTES, OS, int, execv, (const char *path, char *const arguments[]), (path, arguments)) \
	CALL(NOTES, OS, int, execvp, (const char *file, char *const arguments[]), (file, arguments)) \
	CALL(NOTES, OS, int, execvpe, (const char *file, char *const arguments[], char *const environment[]), (file, arguments, environment)) \
	CALL(NOTES, OS, int, posix_spawn, (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]), (pid, path, actions, attributes, arguments, environment)) \
	CALL(NOTES, OS, int, posix_spawnp, (pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]), (pid, file, actions, attributes, arguments, environment)) \
	CALL(NOTES, OS, int, sigaction, (int number, const struct sigaction *action, struct sigaction *before), (number, action, before)) \
	CALL(NOTES, OS, sighandler_t, signal, (int number, sighandler_t handler), (number, handler)) \
	CALL(NOTES, OS, sighandler_t, __sysv_signal, (int number, sighandler_t handler), (number, handler)) \
	CALL(NOTES, OS, sighandler_t, sigset, (int number, sighandler_t disposition), (number, disposition)) \
	CALL(NOTES, OS, int, siginterrupt, (int number, int interrupts), (number, interrupts)) \
	CALL(WAITS, TIME, unsigned, sleep, (unsigned seconds), (seconds)) \
	CALL(WAITS, TIME, int, usleep, (useconds_t microseconds), (microseconds)) \
	CALL(WAITS, TIME, int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left)) \
	CALL(WAITS, TIME, int, clock_nanosleep, (clockid_t clock, int flags, const struct timespec *time, struct timespec *left), (clock, flags, time, left)) \
	CALL(WAITS, TIME, int, thrd_sleep, (const struct timespec *time, struct timespec *left), (time, left)) \
	CALL(WAITS, SOCKET, ssize_t, recv, (int fd, void *buffer, size_t length, int flags), (fd, buffer, length, flags)) \
	CALL(WAITS, SOCKET, ssize_t, recvfrom, (int fd, void *buffer, size_t length, int flags, struct sockaddr *address, socklen_t *size), (fd, buffer, length, flags, address, size)) \
	CALL(WAITS, SOCKET, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags)) \
	CALL(WAITS, SOCKET, int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout), (fd, messages, count, flags, timeout)) \
	CALL(WAITS, SOCKET, ssize_t, send, (int fd, const void *buffer, size_t length, int flags), (fd, buffer, length, flags)) \
	CALL(WAITS, SOCKET, ssize_t, sendto, (int fd, const void *buffer, size_t length, int flags, const struct sockaddr *address, socklen_t size), (fd, buffer, length, flags, address, size)) \
	CALL(WAITS, SOCKET, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags)) \
	CALL(WAITS, SOCKET, int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags), (fd, messages, count, flags)) \
	CALL(NOTES, SOCKET, int, accept, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size)) \
	CALL(NOTES, SOCKET, int, accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags)) \
	CALL(WAITS, SOCKET, int, connect, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size)) \
	CALL(NOTES, SOCKET, int, socket, (int domain, int type, int protocol), (domain, type, protocol)) \
	CALL(NOTES, SOCKET, int, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends)) \
	CALL(BLOCKS, SOCKET, int, shutdown, (int fd, int how), (fd, how)) \
	CALL(WAITS, DNS, int, getaddrinfo, (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result), (host, service, hints, result)) \
	CALL(WAITS, DNS, int, getnameinfo, (const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service, socklen_t service_size, int flags), (address, size, host, host_size, service, service_size, flags)) \
	CALL(WAITS, DNS, struct hostent *, gethostbyname, (const char *name), (name)) \
	CALL(WAITS, DNS, struct hostent *, gethostbyname2, (const char *name, int family), (name, family)) \
	CALL(WAITS, DNS, struct hostent *, gethostbyaddr, (const void *address, socklen_t size, int family), (address, size, family)) \
	CALL(WAITS, DNS, int, gethostbyname_r, (const char *name, struct hostent *entry, char *buffer, size_t size, struct hostent **result, int *error), (name, entry, buffer, size, result, error)) \
	CALL(WAITS, DNS, int, gethostbyname2_r, (const char *name, int family, struct hostent *entry, char *buffer, size_t size, struct hostent **result, int *error), (name, family, entry, buffer, size, result, error)) \
	CALL(WAITS, DNS, int, gethostbyaddr_r, (const void *address, socklen_t length, int family, struct hostent *entry, char *buffer, size_t size, struct hostent **result, int *error), (address, length, family, entry, buffer, size, result, error)) \
	CALL(WAITS, DNS, int, res_query, (const char *name, int class, int type, unsigned char *answer, int size), (name, class, type, answer, size)) \
	CALL(WAITS, DNS, int, res_search, (const char *name, int class, int type, unsigned char *answer, int size), (name, class, type, answer, size)) \
	CALL(WAITS, DNS, int, res_querydomain, (const char *name, const char *domain, int class, int type, unsigned char *answer, int size), (name, domain, class, type, answer, size)) \
	CALL(WAITS, DNS, int, res_send, (const unsigned char *query, int length, unsigned char *answer, int size), (query, length, answer, size)) \
	CALL(WAITS, DNS, int, res_nquery, (res_state state, const char *name, int class, int type, unsigned char *answer, int size), (state, name, class, type, answer, size)) \
	CALL(WAITS, DNS, int, res_nsearch, (res_state state, const char *name, int class, int type, unsigned char *answer, int size), (state, name, class, type, answer, size)) \
	CALL(WAITS, DNS, int, res_nquerydomain, (res_state state, const char *name, const char *domain, int class, int type, unsigned char *answer, int size), (state, name, domain, class, type, answer, size)) \
	CALL(WAITS, DNS, int, res_nsend, (res_state state, const unsigned char *query, int length, unsigned char *answer, int size), (state, query, length, answer, size)) \
	CALL(WAITS, SELECT, int, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout)) \
	CALL(WAITS, SELECT, int, ppoll, (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask), (fds, count, timeout, mask)) \
	CALL(WAITS, SELECT, int, select, (int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *timeout), (count, reads, writes, others, timeout)) \
	CALL(WAITS, SELECT, int, pselect, (int count, fd_set *reads, fd_set *writes, fd_set *others, const struct timespec *timeout, const sigset_t *mask), (count, reads, writes, others, timeout, mask)) \
	CALL(WAITS, SELECT, int, epoll_wait, (int fd, struct epoll_event *events, int count, int timeout), (fd, events, count, timeout)) \
	CALL(WAITS, SELECT, int, epoll_pwait, (int fd, struct epoll_event *events, int count, int timeout, const sigset_t *mask), (fd, events, count, timeout, mask)) \
	CALL(WAITS, SELECT, int, epoll_pwait2, (int fd, struct epoll_event *events, int count, const struct timespec *timeout, const sigset_t *mask), (fd, events, count, timeout, mask)) \
	CALL(NOTES, SELECT, int, epoll_ctl, (int set, int operation, int fd, struct epoll_event *event), (set, operation, fd, event)) \
	CALL(WAITS, SUBPROCESS, pid_t, wait, (int *status), (status)) \
	CALL(WAITS, SUBPROCESS, pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options)) \
	CALL(WAITS, SUBPROCESS, pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage), (pid, status, options, usage)) \
	CALL(WAITS, SUBPROCESS, pid_t, wait3, (int *status, int options, struct rusage *usage), (status, options, usage)) \
	CALL(WAITS, SUBPROCESS, int, waitid, (idtype_t kind, id_t id, siginfo_t *info, int options), (kind, id, info, options)) \
	CALL(WAITS, SUBPROCESS, int, system, (const char *command), (command)) \
	CALL(WAITS, SUBPROCESS, FILE *, popen, (const char *command, const char *mode), (command, mode)) \
	CALL(NOTES, SUBPROCESS, int, pclose, (FILE *stream), (stream)) \
	CALL(WAITS, THREAD, int, pthread_mutex_lock, (pthread_mutex_t *mutex), (mutex)) \
	CALL(WAITS, THREAD, int, pthread_mutex_trylock, (pthread_mutex_t *mutex), (mutex)) \
	CALL(WAITS, THREAD, int, pthread_mutex_timedlock, (pthread_mutex_t *mutex, const struct timespec *end), (mutex, end)) \
	CALL(WAITS, THREAD, int, pthread_mutex_clocklock, (pthread_mutex_t *mutex, clockid_t clock, const struct timespec *end), (mutex, clock, end)) \
	CALL(NOTES, THREAD, int, pthread_mutex_unlock, (pthread_mutex_t *mutex), (mutex)) \
	CALL(WAITS, THREAD, int, pthread_cond_wait, (pthread_cond_t *condition, pthread_mutex_t *mutex), (condition, mutex)) \
	CALL(WAITS, THREAD, int, pthread_cond_timedwait, (pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *end), (condition, mutex, end)) \
	CALL(WAITS, THREAD, int, pthread_cond_clockwait, (pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *end), (condition, mutex, clock, end)) \
	CALL(NOTES, THREAD, int, pthread_cond_signal, (pthread_cond_t *condition), (condition)) \
	CALL(NOTES, THREAD, int, pthread_cond_broadcast, (pthread_cond_t *condition), (condition)) \
	CALL(WAITS, THREAD, int, sem_wait, (sem_t *semaphore), (semaphore)) \
	CALL(WAITS, THREAD, int, sem_timedwait, (sem_t *semaphore, const struct timespec *end), (semaphore, end)) \
	CALL(WAITS, THREAD, int, sem_clockwait, (sem_t *semaphore, clockid_t clock, const struct timespec *end), (semaphore, clock, end)) \
	CALL(WAITS, THREAD, int, pthread_rwlock_rdlock, (pthread_rwlock_t *lock), (lock)) \
	CALL(WAITS, THREAD, int, pthread_rwlock_wrlock, (pthread_rwlock_t *lock), (lock)) \
	CALL(WAITS, THREAD, int, pthread_rwlock_timedrdlock, (pthread_rwlock_t *lock, const struct timespec *end), (lock, end)) \
	CALL(WAITS, THREAD, int, pthread_rwlock_timedwrlock, (pthread_rwlock_t *lock, const struct timespec *end), (lock, end)) \
	CALL(WAITS, THREAD, int, pthread_rwlock_clockrdlock, (pthread_rwlock_t *lock, clockid_t clock, const struct timespec *end), (lock, clock, end)) \
	CALL(WAITS, THREAD, int, pthread_rwlock_clockwrlock, (pthread_rwlock_t *lock, clockid_t clock, const struct timespec *end), (lock, clock, end)) \
	CALL(NOTES, THREAD, int, pthread_rwlock_unlock, (pthread_rwlock_t *lock), (lock)) \
	CALL(WAITS, THREAD, int, sched_yield, (void), ()) \
	CALL(WAITS, THREAD, int, pthread_once, (pthread_once_t *control, void (*routine)(void)), (control, routine)) \
	CALL(WAITS, THREAD, int, mtx_lock, (mtx_t *mutex), (mutex)) \
	CALL(WAITS, THREAD, int, mtx_trylock, (mtx_t *mutex), (mutex)) \
	CALL(WAITS, THREAD, int, mtx_timedlock, (mtx_t *mutex, const struct timespec *end), (mutex, end)) \
	CALL(NOTES, THREAD, int, mtx_unlock, (mtx_t *mutex), (mutex)) \
	CALL(WAITS, THREAD, int, cnd_wait, (cnd_t *condition, mtx_t *mutex), (condition, mutex)) \
	CALL(WAITS, THREAD, int, cnd_timedwait, (cnd_t *condition, mtx_t *mutex, const struct timespec *end), (condition, mutex, end)) \
	CALL(NOTES, THREAD, int, cnd_signal, (cnd_t *condition), (condition)) \
	CALL(NOTES, THREAD, int, cnd_broadcast, (cnd_t *condition), (condition)) \
	CALL(WAITS, THREAD, int, thrd_join, (thrd_t thread, int *result), (thread, result)) \
	CALL(NOTES, THREAD, void, thrd_yield, (void), ()) \
	CALL(NOTES, THREAD, void, call_once, (once_flag *flag, void (*routine)(void)), (flag, routine)) \
	CALL(NOTES, THREAD, int, pthread_barrier_init, (pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count), (barrier, attributes, count)) \
	CALL(NOTES, THREAD, int, pthread_barrier_destroy, (pthread_barrier_t *barrier), (barrier)) \
	CALL(NOTES, THREAD, int, pthread_barrier_wait, (pthread_barrier_t *barrier), (barrier)) \
	CALL(NOTES, THREAD, int, sem_post, (sem_t *semaphore), (semaphore)) \
	CALL(NOTES, THREAD, int, pthread_join, (pthread_t thread, void **result), (thread, result)) \
	CALL(NOTES, CREATE, int, pthread_create, (pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument), (thread, attributes, body, argument)) \
	CALL(NOTES, CREATE, pthread_t, pthread_self, (void), ()) \
	CALL(NOTES, CREATE, int, pthread_detach, (pthread_t thread), (thread)) \
	CALL(NOTES, CREATE, int, pthread_tryjoin_np, (pthread_t thread, void **result), (thread, result)) \
	CALL(NOTES, CREATE, int, pthread_timedjoin_np, (pthread_t thread, void **result, const struct timespec *end), (thread, result, end)) \
	CALL(NOTES, CREATE, int, pthread_clockjoin_np, (pthread_t thread, void **result, clockid_t clock, const struct timespec *end), (thread, result, clock, end)) \
	CALL(NOTES, CREATE, int, pthread_setschedprio, (pthread_t thread, int priority), (thread, priority)) \
	CALL(NOTES, CREATE, int, pthread_sigqueue, (pthread_t thread, int number, const union sigval value), (thread, number, value)) \
	CALL(NOTES, CREATE, int, pthread_kill, (pthread_t thread, int number), (thread, number)) \
	CALL(NOTES, CREATE, int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *before), (how, set, before)) \
	CALL(NOTES, CREATE, int, sigprocmask, (int how, const sigset_t *set, sigset_t *before), (how, set, before)) \
	CALL(NOTES, CREATE, int, pthread_cancel, (pthread_t thread), (thread)) \
	CALL(NOTES, CREATE, int, pthread_setcancelstate, (int state, int *before), (state, before)) \
	CALL(NOTES, CREATE, int, pthread_setname_np, (pthread_t thread, const char *name), (thread, name)) \
	CALL(NOTES, CREATE, int, pthread_getname_np, (pthread_t thread, char *name, size_t size), (thread, name, size)) \
	CALL(NOTES, CREATE, int, pthread_getattr_np, (pthread_t thread, pthread_attr_t *attributes), (thread, attributes)) \
	CALL(NOTES, CREATE, int, pthread_getcpuclockid, (pthread_t thread, clockid_t *clock), (thread, clock)) \
	CALL(NOTES, CREATE, int, pthread_setaffinity_np, (pthread_t thread, size_t size, const cpu_set_t *cpus), (thread, size, cpus)) \
	CALL(NOTES, CREATE, int, pthread_getaffinity_np, (pthread_t thread, size_t size, cpu_set_t *cpus), (thread, size, cpus)) \
	CALL(NOTES, CREATE, int, pthread_setschedparam, (pthread_t thread, int policy, const struct sched_param *parameters), (thread, policy, parameters)) \
	CALL(NOTES, CREATE, int, pthread_getschedparam, (pthread_t thread, int *policy, struct sched_param *parameters), (thread, policy, parameters)) \
	CALL(NOTES, CREATE, int, pthread_key_create, (pthread_key_t *key, void (*destroy)(void *)), (key, destroy)) \
	CALL(NOTES, CREATE, int, pthread_key_delete, (pthread_key_t key), (key)) \
	CALL(NOTES, CREATE, void *, pthread_getspecific, (pthread_key_t key), (key)) \
	CALL(NOTES, CREATE, int, pthread_setspecific, (pthread_key_t key, const void *value), (key, value)) \
	CALL(BLOCKS, OS, int, fsync, (int fd), (fd)) \
	CALL(BLOCKS, OS, int, fdatasync, (int fd), (fd)) \
	CALL(BLOCKS, OS, int, syncfs, (int fd), (fd)) \
	CALL(BLOCKS, OS, int, msync, (void *address, size_t length, int flags), (address, length, flags)) \
	CALL(BLOCKS, OS, int, tcdrain, (int fd), (fd)) \
	CALL(BLOCKS, OS, int, aio_suspend, (const struct aiocb *const list[], int count, const struct timespec *timeout), (list, count, timeout)) \
	CALL(BLOCKS, OS, int, pause, (void), ()) \
	CALL(BLOCKS, OS, int, sigsuspend, (const sigset_t *mask), (mask)) \
	CALL(BLOCKS, OS, int, sigwait, (const sigset_t *set, int *number), (set, number)) \
	CALL(BLOCKS, OS, int, sigwaitinfo, (const sigset_t *set, siginfo_t *info), (set, info)) \
	CALL(BLOCKS, OS, int, sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *timeout), (set, info, timeout))

/* Calls whose functions are written by hand: their arguments vary, or they do not return. */
#define PATCH_OTHERS(OTHER) \
	OTHER(OS, fcntl) \
	OTHER(OS, ioctl) \
	OTHER(OS, dprintf) \
	OTHER(OS, execl) \
	OTHER(OS, execlp) \
	OTHER(OS, execle) \
	OTHER(OS, exit) \
	OTHER(CREATE, pthread_exit) \
	OTHER(CREATE, pthread_testcancel) \
	OTHER(CREATE, __pthread_register_cancel) \
	OTHER(CREATE, __pthread_unregister_cancel) \
	OTHER(CREATE, __pthread_unwind_next)

/* Other names that libc has for a call of the table; those of _FORTIFY_SOURCE are in checked.c. */
#define PATCH_ALIASES(ALIAS) \
	ALIAS(__read, read) \
	ALIAS(__write, write) \
	ALIAS(__close, close) \
	ALIAS(__dup2, dup2) \
	ALIAS(__pipe, pipe) \
	ALIAS(pread64, pread) \
	ALIAS(__pread64, pread) \
	ALIAS(pwrite64, pwrite) \
	ALIAS(__pwrite64, pwrite) \
	ALIAS(preadv64, preadv) \
	ALIAS(pwritev64, pwritev) \
	ALIAS(preadv64v2, preadv2) \
	ALIAS(pwritev64v2, pwritev2) \
	ALIAS(sendfile64, sendfile) \
	ALIAS(__sigaction, sigaction) \
	ALIAS(bsd_signal, signal) \
	ALIAS(ssignal, signal) \
	ALIAS(sysv_signal, __sysv_signal) \
	ALIAS(__nanosleep, nanosleep) \
	ALIAS(__send, send) \
	ALIAS(__connect, connect) \
	ALIAS(__res_query, res_query) \
	ALIAS(__res_search, res_search) \
	ALIAS(__res_querydomain, res_querydomain) \
	ALIAS(__res_send, res_send) \
	ALIAS(__res_nquery, res_nquery) \
	ALIAS(__res_nsearch, res_nsearch) \
	ALIAS(__res_nquerydomain, res_nquerydomain) \
	ALIAS(__res_nsend, res_nsend) \
	ALIAS(__poll, poll) \
	ALIAS(__select, select) \
	ALIAS(__wait, wait) \
	ALIAS(__waitpid, waitpid) \
	ALIAS(__pthread_mutex_lock, pthread_mutex_lock) \
	ALIAS(__pthread_mutex_trylock, pthread_mutex_trylock) \
	ALIAS(__pthread_mutex_unlock, pthread_mutex_unlock) \
	ALIAS(__pthread_once, pthread_once) \
	ALIAS(__pthread_rwlock_rdlock, pthread_rwlock_rdlock) \
	ALIAS(__pthread_rwlock_wrlock, pthread_rwlock_wrlock) \
	ALIAS(__pthread_rwlock_unlock, pthread_rwlock_unlock) \
	ALIAS(freopen64, freopen) \
	ALIAS(lockf64, lockf)
/* clang-format on */

#endif

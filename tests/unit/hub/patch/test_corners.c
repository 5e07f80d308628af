/* Values at the corners: times before now and below zero, more than there can be, nothing where
 * there should be something. Each call is made by a thread, where it is libc's, and on a coroutine:
 * the answers must be the same, and neither may hang. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

/* That the values are wrong is what this is about. */
#pragma GCC diagnostic ignored "-Wnonnull"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#endif

/* A pair of sockets with five bytes to be read, two empty pipes, of which one does not wait, files,
 * and locks that are held. */
static struct {
	int pair[2], pipe[2], unready[2], file, appended, set, semaphores, messages;
	mqd_t queue;
	pthread_mutex_t held;
	pthread_cond_t condition;
	pthread_rwlock_t written;
	sem_t none, one;
} with;

static struct timespec at, soon = {0, 1000000};
static struct timeval during;
static struct iovec part = {&with, 8};
static char text[64];
static fd_set bits;

static const struct timespec *
time_is(time_t seconds, long nanoseconds)
{
	at = (struct timespec){seconds, nanoseconds};
	return &at;
}

static struct timeval *
within(time_t seconds, long microseconds)
{
	during = (struct timeval){seconds, microseconds};
	return &during;
}

static fd_set *
only(int fd)
{
	FD_ZERO(&bits);
	FD_SET(fd, &bits);
	return &bits;
}

static struct msghdr *
parts_are(struct iovec *parts, size_t count)
{
	static struct msghdr message;

	message = (struct msghdr){.msg_iov = parts, .msg_iovlen = count};
	return &message;
}

static struct sembuf *
down(int flags)
{
	static struct sembuf operation;

	operation = (struct sembuf){0, -1, (short)flags};
	return &operation;
}

static long
locked(int error)
{
	if (error == 0)
		pthread_mutex_unlock(&with.held);
	return error;
}

/* A mutex that the caller holds. */
static pthread_mutex_t *
own(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_init(&mutex, NULL);
	pthread_mutex_lock(&mutex);
	return &mutex;
}

/* clang-format off */
#define CORNERS(CASE) \
	CASE(nanosleep(time_is(-1, 0), NULL)) \
	CASE(nanosleep(time_is(0, -1), NULL)) \
	CASE(nanosleep(time_is(0, 1000000000), NULL)) \
	CASE(nanosleep(NULL, NULL)) \
	CASE(thrd_sleep(time_is(-1, 0), NULL)) \
	CASE(thrd_sleep(NULL, NULL)) \
	CASE(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, time_is(0, 0), NULL)) \
	CASE(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, time_is(1, 999999999), NULL)) \
	CASE(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, time_is(-1, 0), NULL)) \
	CASE(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, time_is(LONG_MIN, 0), NULL)) \
	CASE(clock_nanosleep(CLOCK_MONOTONIC, 0, NULL, NULL)) \
	CASE(clock_nanosleep(77, 0, time_is(0, 0), NULL)) \
	CASE(poll(NULL, 1, 0)) \
	CASE(poll(NULL, 1, -1)) \
	CASE(poll(NULL, UINT_MAX, 10)) \
	CASE(poll(NULL, ULONG_MAX, 10)) \
	CASE(poll(NULL, 0, 1)) \
	CASE(ppoll(NULL, 0, time_is(-1, 0), NULL)) \
	CASE(ppoll(NULL, 0, time_is(0, 2000000000), NULL)) \
	CASE(select(-1, NULL, NULL, NULL, within(0, 0))) \
	CASE(select(INT_MIN, NULL, NULL, NULL, NULL)) \
	CASE(select(0, NULL, NULL, NULL, within(-1, 0))) \
	CASE(select(0, NULL, NULL, NULL, within(0, -1))) \
	CASE(select(0, NULL, NULL, NULL, within(0, 1))) \
	CASE(select(with.pair[0] + 1, only(with.pair[0]), NULL, NULL, within(LONG_MAX, LONG_MAX))) \
	CASE(select(1000, only(1000 - 1), NULL, NULL, within(0, 0))) \
	CASE(pselect(0, NULL, NULL, NULL, time_is(0, -1), NULL)) \
	CASE(epoll_wait(with.set, (void *)text, 0, 1)) \
	CASE(epoll_wait(with.set, (void *)text, -1, 1)) \
	CASE(epoll_wait(with.set, (void *)text, INT_MAX, 1)) \
	CASE(epoll_wait(with.pair[0], (void *)text, 1, 1)) \
	CASE(epoll_wait(-1, (void *)text, 1, 1)) \
	CASE(epoll_pwait2(with.set, (void *)text, 1, time_is(-1, 0), NULL)) \
	CASE(readv(with.pair[0], &part, -1)) \
	CASE(readv(with.pair[0], &part, 0)) \
	CASE(readv(with.pair[0], &part, IOV_MAX + 1)) \
	CASE(readv(with.pair[0], NULL, 1)) \
	CASE(readv(with.pipe[0], &part, -1)) \
	CASE(readv(with.pipe[0], NULL, 1)) \
	CASE(readv(with.file, NULL, 1)) \
	CASE(readv(-1, NULL, -1)) \
	CASE(writev(with.pair[0], &part, -1)) \
	CASE(writev(with.pair[0], NULL, 1)) \
	CASE(writev(with.pair[0], NULL, INT_MAX)) \
	CASE(writev(with.pipe[1], NULL, 1)) \
	CASE(writev(with.pipe[1], &part, INT_MIN)) \
	CASE(preadv(with.file, &part, -1, 0)) \
	CASE(preadv(with.file, NULL, 1, 0)) \
	CASE(preadv(with.file, &part, 1, -1)) \
	CASE(preadv2(with.file, &part, -1, -1, 0)) \
	CASE(preadv2(with.file, &part, 1, 0, 1 << 30)) \
	CASE(preadv2(with.pair[1], &part, 1, -1, RWF_NOWAIT)) \
	CASE(preadv2(with.pipe[0], &part, 1, -1, 1 << 30)) \
	CASE(pwritev2(with.pipe[1], &part, 1, -1, 1 << 30)) \
	CASE(pwritev2(with.file, &part, 1, -1, 1 << 30)) \
	CASE(pwritev(with.file, &part, -1, 0)) \
	CASE(pwritev2(with.file, NULL, 1, 0, 0)) \
	CASE(pread(with.file, text, 8, LONG_MIN)) \
	CASE(pread(with.pipe[0], text, 8, 0)) \
	CASE(read(with.pair[0], NULL, 5)) \
	CASE(read(with.file, text, 0)) \
	CASE(write(with.pipe[1], NULL, 5)) \
	CASE(write(with.pair[0], NULL, 5)) \
	CASE(write(-1, NULL, 0)) \
	CASE(recv(with.pair[0], NULL, 5, MSG_PEEK)) \
	CASE(recvmsg(with.pair[0], NULL, 0)) \
	CASE(recvmsg(with.pair[0], NULL, MSG_WAITALL)) \
	CASE(recvmsg(with.pair[0], parts_are(NULL, 1), MSG_WAITALL)) \
	CASE(recvmsg(with.pair[0], parts_are(NULL, 1), 0)) \
	CASE(recvmsg(with.pair[0], parts_are(&part, SIZE_MAX), MSG_WAITALL)) \
	CASE(recvmsg(with.pair[0], parts_are(&part, IOV_MAX + 1), 0)) \
	CASE(sendmsg(with.pair[0], NULL, 0)) \
	CASE(sendmsg(with.pair[0], parts_are(NULL, 1), 0)) \
	CASE(sendmsg(with.pair[0], parts_are(&part, SIZE_MAX), 0)) \
	CASE(recvmmsg(with.pair[0], NULL, 1, 0, NULL)) \
	CASE(recvmmsg(with.pair[0], NULL, 1, MSG_WAITALL, NULL)) \
	CASE(recvmmsg(with.pair[0], NULL, 0, 0, NULL)) \
	CASE(recvmmsg(with.pair[0], NULL, 1, 0, (struct timespec *)(uintptr_t)time_is(-1, 0))) \
	CASE(sendmmsg(with.pair[0], NULL, 1, 0)) \
	CASE(sendmmsg(with.pair[0], NULL, UINT_MAX, 0)) \
	CASE(sendmmsg(with.pair[0], NULL, 0, 0)) \
	CASE(sendto(with.pair[0], NULL, 5, 0, NULL, 0)) \
	CASE(connect(with.pair[0], NULL, 16)) \
	CASE(connect(with.pair[0], NULL, UINT_MAX)) \
	CASE(connect(-1, NULL, 0)) \
	CASE(accept(with.pair[0], NULL, NULL)) \
	CASE(accept4(with.pipe[0], NULL, NULL, 0)) \
	CASE(accept4(with.pair[0], NULL, NULL, -1)) \
	CASE(sendfile(with.pair[0], with.pipe[0], NULL, 5)) \
	CASE(sendfile(with.pair[0], -1, NULL, SIZE_MAX)) \
	CASE(sendfile(-1, with.file, NULL, 5)) \
	CASE(sendfile(with.appended, with.file, &(off_t){0}, 5)) \
	CASE(splice(with.pipe[0], NULL, with.pipe[1], NULL, 0, 0)) \
	CASE(splice(with.pipe[0], NULL, with.pipe[1], NULL, 5, 0)) \
	CASE(splice(with.pipe[0], NULL, with.pipe[0], NULL, 5, 0)) \
	CASE(splice(with.pipe[0], NULL, -1, NULL, 5, 0)) \
	CASE(splice(with.pipe[0], NULL, with.file, NULL, 5, 1 << 30)) \
	CASE(splice(with.pipe[0], &(off_t){0}, with.file, NULL, 5, 0)) \
	CASE(splice(with.pipe[1], NULL, with.pair[0], NULL, 5, 0)) \
	CASE(splice(with.pair[1], &(off_t){0}, with.pipe[1], NULL, 5, 0)) \
	CASE(splice(with.pair[1], NULL, with.pipe[0], NULL, 5, 0)) \
	CASE(splice(with.unready[0], NULL, with.pipe[1], NULL, 5, 0)) \
	CASE(tee(with.unready[0], with.pipe[1], 5, 0)) \
	CASE(splice(with.pair[0], NULL, with.file, NULL, 5, 0)) \
	CASE(splice(-1, NULL, with.pipe[1], NULL, 5, 0)) \
	CASE(tee(with.pipe[0], with.pipe[1], 0, 0)) \
	CASE(tee(with.pair[0], with.pipe[1], 5, 0)) \
	CASE(vmsplice(with.pipe[1], NULL, 1, 0)) \
	CASE(vmsplice(with.pipe[1], &part, SIZE_MAX, 0)) \
	CASE(vmsplice(with.pair[0], &part, 1, 0)) \
	CASE(copy_file_range(-1, NULL, with.file, NULL, 5, 0)) \
	CASE(copy_file_range(with.file, NULL, with.pipe[1], NULL, 5, 0)) \
	CASE(flock(-1, LOCK_EX)) \
	CASE(flock(with.file, 77)) \
	CASE(lockf(with.file, F_LOCK, LONG_MIN)) \
	CASE(fcntl(with.file, F_OFD_SETLKW, NULL)) \
	CASE(msgrcv(with.messages, text, 8, 0, MSG_COPY)) \
	CASE(semop(with.semaphores, NULL, 1)) \
	CASE(semop(with.semaphores, down(0), 0)) \
	CASE(semop(with.semaphores, down(0), SIZE_MAX)) \
	CASE(semop(with.semaphores, down(IPC_NOWAIT), 1)) \
	CASE(semtimedop(with.semaphores, down(0), 1, time_is(-1, 0))) \
	CASE(semtimedop(with.semaphores, down(0), 1, time_is(0, 0))) \
	CASE(semtimedop(-1, down(0), 1, &soon)) \
	CASE(mq_timedreceive(with.queue, text, 64, NULL, time_is(1, 0))) \
	CASE(mq_timedreceive(with.queue, text, 64, NULL, time_is(-1, 0))) \
	CASE(mq_timedreceive(with.queue, text, 64, NULL, time_is(0, -1))) \
	CASE(mq_timedreceive(with.queue, text, 1, NULL, NULL)) \
	CASE(mq_receive(-1, text, 64, NULL)) \
	CASE(mq_receive(with.pipe[0], text, 64, NULL)) \
	CASE(mq_timedsend(with.queue, text, 65, 0, NULL)) \
	CASE(locked(pthread_mutex_timedlock(&with.held, time_is(-1, 0)))) \
	CASE(locked(pthread_mutex_timedlock(&with.held, time_is(LONG_MIN, 0)))) \
	CASE(locked(pthread_mutex_timedlock(&with.held, time_is(0, 0)))) \
	CASE(locked(pthread_mutex_timedlock(&with.held, time_is(0, -1)))) \
	CASE(locked(pthread_mutex_timedlock(&with.held, time_is(0, 1000000000)))) \
	CASE(locked(pthread_mutex_clocklock(&with.held, CLOCK_MONOTONIC, time_is(-1, 0)))) \
	CASE(locked(pthread_mutex_clocklock(&with.held, 77, time_is(1, 0)))) \
	CASE(pthread_cond_timedwait(&with.condition, own(), time_is(-1, 0))) \
	CASE(pthread_cond_timedwait(&with.condition, own(), time_is(LONG_MIN, 0))) \
	CASE(pthread_cond_timedwait(&with.condition, own(), time_is(1, 0))) \
	CASE(pthread_cond_timedwait(&with.condition, own(), time_is(1, -1))) \
	CASE(pthread_cond_clockwait(&with.condition, own(), 77, time_is(1, 0))) \
	CASE(pthread_rwlock_timedrdlock(&with.written, time_is(-1, 0))) \
	CASE(pthread_rwlock_timedrdlock(&with.written, time_is(1, -1))) \
	CASE(pthread_rwlock_timedwrlock(&with.written, time_is(0, 0))) \
	CASE(pthread_rwlock_clockwrlock(&with.written, 77, time_is(0, 0))) \
	CASE(sem_timedwait(&with.none, time_is(-1, 0))) \
	CASE(sem_timedwait(&with.none, time_is(LONG_MIN, 0))) \
	CASE(sem_timedwait(&with.none, time_is(1, 0))) \
	CASE(sem_timedwait(&with.none, time_is(1, 1000000000))) \
	CASE(sem_timedwait(&with.one, time_is(1, -1))) \
	CASE(sem_clockwait(&with.none, 77, time_is(1, 0))) \
	CASE(mtx_timedlock((mtx_t *)&with.held, time_is(-1, 0)))
/* clang-format on */

struct answer {
	long result;
	int error;
};

#define CALL(expression)                                                                           \
	do {                                                                                       \
		errno = 0;                                                                         \
		answers->result = (long)(expression);                                              \
		answers->error = answers->result < 0 ? errno : 0;                                  \
		answers++;                                                                         \
	} while (0);
#define TEXT(expression) #expression,

static const char *const names[] = {CORNERS(TEXT)};
#define CASES (sizeof names / sizeof names[0])

static struct answer plain[CASES], ours[CASES];

/* Values that the declarations forbid are meant. */
static __attribute__((no_sanitize("undefined"))) void *
make_all(void *argument)
{
	struct answer *answers = argument;

	CORNERS(CALL)
	return NULL;
}

static void
prepare(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 64};
	char name[64];

	socketpair(AF_UNIX, SOCK_STREAM, 0, with.pair);
	write(with.pair[1], "hello", 5);
	pipe(with.pipe);
	with.file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	write(with.file, "hello", 5);
	pipe2(with.unready, O_NONBLOCK);
	with.appended = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
	with.messages = msgget(IPC_PRIVATE, 0600);
	with.set = epoll_create1(0);
	with.semaphores = semget(IPC_PRIVATE, 1, 0600);
	snprintf(name, sizeof name, "/hubbub-corners-%d", getpid());
	with.queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
	mq_unlink(name);
	pthread_mutex_init(&with.held, NULL);
	pthread_mutex_lock(&with.held);
	pthread_cond_init(&with.condition, NULL);
	pthread_rwlock_init(&with.written, NULL);
	pthread_rwlock_wrlock(&with.written);
	sem_init(&with.none, 0, 0);
	sem_init(&with.one, 0, 1);
}

static void *
compare(void *argument)
{
	struct hub_coroutine *caller;
	pthread_t thread;

	/* In a coroutine of its own: who holds the locks is another one. */
	prepare();
	pthread_create(&thread, NULL, make_all, plain);
	pthread_join(thread, NULL);
	caller = hub_spawn(make_all, ours);
	hub_join(caller, NULL);
	semctl(with.semaphores, 0, IPC_RMID);
	msgctl(with.messages, IPC_RMID, NULL);
	for (int i = 0; i < 2; i++) {
		close(with.pair[i]);
		close(with.pipe[i]);
		close(with.unready[i]);
	}
	close(with.file);
	close(with.appended);
	close(with.set);
	close(with.queue);
	return argument;
}

TestSuite(corners, .timeout = 60);

Test(corners, are_answered_as_libc_answers_them)
{
	struct hub_options options = {.stack_size = (size_t)512 * 1024};

	if (on_valgrind())
		cr_skip_test("it would tell of each wrong value");
	hub_patch_all();
	hub_run_with(&options, compare, NULL, NULL);
	for (size_t i = 0; i < CASES; i++)
		cr_expect(plain[i].result == ours[i].result && plain[i].error == ours[i].error,
			"%s: a thread has %ld (%s), a coroutine %ld (%s)", names[i],
			plain[i].result, strerror(plain[i].error), ours[i].result,
			strerror(ours[i].error));
	cr_assert_gt(CASES, 100);
}

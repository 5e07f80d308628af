/* Conditions and semaphores between coroutines and threads. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define ITEMS 2000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int waiting, woken, queue, sum;

static void *
wait_once(void *argument)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	pthread_cond_wait(&condition, &mutex);
	woken++;
	pthread_mutex_unlock(&mutex);
	return argument;
}

static void *
wake_some(void *argument)
{
	struct hub_coroutine *coroutines[10];

	for (int i = 0; i < 10; i++)
		coroutines[i] = hub_spawn(wait_once, NULL);
	while (waiting < 10)
		usleep(0);
	pthread_cond_signal(&condition);
	usleep(3000);
	trace_say("signal %d", woken);
	pthread_cond_broadcast(&condition);
	for (int i = 0; i < 10; i++)
		hub_join(coroutines[i], NULL);
	trace_say("broadcast %d", woken);
	return argument;
}

TestSuite(condition, .timeout = 60);

Test(condition, signal_wakes_one_and_broadcast_all)
{
	hub_patch_all();
	in_hub(wake_some, NULL);
	EXPECT_TRACE("signal 1, broadcast 10");
}

/* A queue between threads and coroutines, in both directions. */

static void *
produce(void *argument)
{
	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&mutex);
		queue++;
		pthread_cond_signal(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

static void *
consume(void *argument)
{
	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&mutex);
		while (queue == 0)
			pthread_cond_wait(&condition, &mutex);
		queue--;
		sum++;
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

static void *
trade(void *argument)
{
	struct hub_coroutine *coroutines[4];
	pthread_t threads[2];

	coroutines[0] = hub_spawn(consume, NULL);
	coroutines[1] = hub_spawn(consume, NULL);
	coroutines[2] = hub_spawn(produce, NULL);
	usleep(0);
	pthread_create(&threads[0], NULL, produce, NULL);
	pthread_create(&threads[1], NULL, consume, NULL);
	coroutines[3] = hub_spawn(produce, NULL);
	for (int i = 0; i < 4; i++)
		hub_join(coroutines[i], NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return argument;
}

Test(condition, threads_and_coroutines_wake_each_other)
{
	hub_patch_all();
	in_hub(trade, NULL);
	cr_assert_eq(sum, 3 * ITEMS);
	cr_assert_eq(queue, 0);
}

static void *
wait_in_time(void *argument)
{
	pthread_condattr_t attributes;
	pthread_cond_t monotonic;
	struct timespec end;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&monotonic, &attributes);
	pthread_mutex_lock(&mutex);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += 20000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	trace_error("monotonic", pthread_cond_timedwait(&monotonic, &mutex, &end));
	clock_gettime(CLOCK_REALTIME, &end);
	trace_error("realtime", pthread_cond_timedwait(&condition, &mutex, &end));
	/* The mutex is held again. */
	trace_error("unlock", pthread_mutex_unlock(&mutex));
	end.tv_nsec = -1;
	trace_error("no time", pthread_cond_timedwait(&condition, &mutex, &end));
	pthread_cond_destroy(&monotonic);
	return argument;
}

Test(condition, deadlines_hold_on_either_clock)
{
	hub_patch_all();
	in_hub(wait_in_time, NULL);
	EXPECT_TRACE("monotonic ETIMEDOUT, realtime ETIMEDOUT, unlock 0, no time EINVAL");
}

/* libc looks at the nanoseconds before it tries, and at nothing else of a time that is not
 * needed. */
static void *
take_what_is_free(void *argument)
{
	const struct timespec none = {0, 1000000000}, before_all = {-1, 0};
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	sem_t free_one;

	sem_init(&free_one, 0, 1);
	trace_call("sem_timedwait", sem_timedwait(&free_one, &none));
	trace_error("timedrdlock", pthread_rwlock_timedrdlock(&lock, &none));
	trace_call("sem_timedwait", sem_timedwait(&free_one, &before_all));
	trace_error("timedwrlock", pthread_rwlock_timedwrlock(&lock, &before_all));
	pthread_rwlock_unlock(&lock);
	return argument;
}

Test(condition, a_time_that_is_none_is_told_even_of_what_is_free)
{
	hub_patch_all();
	in_hub(take_what_is_free, NULL);
	EXPECT_TRACE("sem_timedwait EINVAL, timedrdlock EINVAL, sem_timedwait 0, timedwrlock 0");
}

/* ---- semaphores ---- */

static void *
take(void *argument)
{
	for (int i = 0; i < ITEMS; i++) {
		if (sem_wait(&semaphore) != 0)
			return argument;
		__atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED);
	}
	return argument;
}

static void *
give(void *argument)
{
	for (int i = 0; i < ITEMS; i++)
		sem_post(&semaphore);
	return argument;
}

static void *
give_and_take(void *argument)
{
	struct hub_coroutine *coroutines[3];
	pthread_t threads[3];

	coroutines[0] = hub_spawn(take, NULL);
	coroutines[1] = hub_spawn(take, NULL);
	usleep(0);
	pthread_create(&threads[0], NULL, take, NULL);
	pthread_create(&threads[1], NULL, give, NULL);
	pthread_create(&threads[2], NULL, give, NULL);
	coroutines[2] = hub_spawn(give, NULL);
	for (int i = 0; i < 3; i++)
		hub_join(coroutines[i], NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return argument;
}

Test(condition, semaphores_between_threads_and_coroutines)
{
	hub_patch_all();
	sem_init(&semaphore, 0, 0);
	in_hub(give_and_take, NULL);
	cr_assert_eq(sum, 3 * ITEMS);
	cr_assert_eq(sem_trywait(&semaphore), -1);
}

static void
post_in_handler(int number)
{
	(void)number;
	sem_post(&semaphore);
}

static void *
wait_for_handler(void *argument)
{
	struct timespec end;

	signal(SIGUSR1, post_in_handler);
	kill(getpid(), SIGUSR1);
	trace_call("wait", sem_wait(&semaphore));
	clock_gettime(CLOCK_REALTIME, &end);
	trace_call("again", sem_timedwait(&semaphore, &end));
	return argument;
}

Test(condition, a_handler_may_post)
{
	hub_patch_all();
	sem_init(&semaphore, 0, 0);
	in_hub(wait_for_handler, NULL);
	EXPECT_TRACE("wait 0, again ETIMEDOUT");
}

static void *
wait_for_process(void *argument)
{
	sem_t *shared = argument;
	pid_t child = fork();

	if (child == 0) {
		usleep(20000);
		sem_post(shared);
		_exit(0);
	}
	trace_call("wait", sem_wait(shared));
	waitpid(child, NULL, 0);
	return NULL;
}

Test(condition, another_process_may_post)
{
	sem_t *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	hub_patch_all();
	sem_init(shared, 1, 0);
	in_hub(wait_for_process, shared);
	EXPECT_TRACE("wait 0");
}

/* ---- readers and writers ---- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int written, readers, most_readers;

static void *
write_slowly(void *argument)
{
	int before;

	pthread_rwlock_wrlock(&rwlock);
	before = written;
	usleep(100);
	written = before + 1;
	pthread_rwlock_unlock(&rwlock);
	return argument;
}

static void *
read_slowly(void *argument)
{
	pthread_rwlock_rdlock(&rwlock);
	readers++;
	most_readers = readers > most_readers ? readers : most_readers;
	usleep(100);
	readers--;
	pthread_rwlock_unlock(&rwlock);
	return argument;
}

static void *
read_and_write(void *argument)
{
	struct hub_coroutine *coroutines[20];

	for (int i = 0; i < 20; i++)
		coroutines[i] = hub_spawn(i % 2 == 0 ? write_slowly : read_slowly, NULL);
	for (int i = 0; i < 20; i++)
		hub_join(coroutines[i], NULL);
	return argument;
}

Test(condition, writers_exclude_each_other_and_readers_share)
{
	hub_patch_all();
	in_hub(read_and_write, NULL);
	cr_expect_eq(written, 10);
	cr_expect_gt(most_readers, 1);
	cr_expect_eq(pthread_rwlock_trywrlock(&rwlock), 0);
}

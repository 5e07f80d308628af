/* Mutexes between coroutines, of every kind. */
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define COROUTINES 50

static pthread_mutex_t mutex;
static int inside, most_inside, passes;

static void
init(int kind)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, kind);
	pthread_mutex_init(&mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

static void *
enter_and_sleep(void *argument)
{
	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&mutex);
		inside++;
		most_inside = inside > most_inside ? inside : most_inside;
		usleep(i % 2 == 0 ? 0 : 100);
		inside--;
		passes++;
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

static void *
contend(void *argument)
{
	struct hub_coroutine *coroutines[COROUTINES];

	for (int i = 0; i < COROUTINES; i++)
		coroutines[i] = hub_spawn(enter_and_sleep, NULL);
	for (int i = 0; i < COROUTINES; i++)
		hub_join(coroutines[i], NULL);
	return argument;
}

TestSuite(mutex, .timeout = 60);

static void
contend_for(int kind)
{
	hub_patch_all();
	init(kind);
	inside = most_inside = passes = 0;
	in_hub(contend, NULL);
	cr_assert_eq(most_inside, 1, "%d at once", most_inside);
	cr_assert_eq(passes, 5 * COROUTINES);
	cr_assert_eq(pthread_mutex_trylock(&mutex), 0, "it is free");
	cr_assert_eq(pthread_mutex_unlock(&mutex), 0);
	cr_assert_eq(pthread_mutex_destroy(&mutex), 0);
}

Test(mutex, one_at_a_time_is_in_a_plain_one)
{
	contend_for(PTHREAD_MUTEX_NORMAL);
}

Test(mutex, one_at_a_time_is_in_an_adaptive_one)
{
	contend_for(PTHREAD_MUTEX_ADAPTIVE_NP);
}

Test(mutex, one_at_a_time_is_in_a_recursive_one)
{
	contend_for(PTHREAD_MUTEX_RECURSIVE);
}

Test(mutex, one_at_a_time_is_in_an_error_checking_one)
{
	contend_for(PTHREAD_MUTEX_ERRORCHECK);
}

/* ---- owners are coroutines ---- */

static void
note_lock(const char *name)
{
	trace_error(name, pthread_mutex_lock(&mutex));
}

static void
note_unlock(const char *name)
{
	trace_error(name, pthread_mutex_unlock(&mutex));
}

static void
note_try(const char *name)
{
	trace_error(name, pthread_mutex_trylock(&mutex));
}

static void *
try_anothers(void *argument)
{
	note_try("another tries");
	note_unlock("another unlocks");
	return argument;
}

static void *
own_twice(void *argument)
{
	note_lock("lock");
	note_lock("again");
	hub_join(hub_spawn(try_anothers, NULL), NULL);
	note_unlock("unlock");
	note_try("try");
	note_unlock("unlock");
	/* It is still held once. */
	hub_join(hub_spawn(try_anothers, NULL), NULL);
	note_unlock("unlock");
	note_unlock("once more");
	return argument;
}

Test(mutex, recursion_is_of_a_coroutine)
{
	hub_patch_all();
	init(PTHREAD_MUTEX_RECURSIVE);
	in_hub(own_twice, NULL);
	EXPECT_TRACE("lock 0, again 0, another tries EBUSY, another unlocks EPERM, unlock 0, "
		     "try 0, unlock 0, another tries EBUSY, another unlocks EPERM, unlock 0, "
		     "once more EPERM");
}

static void *
own(void *argument)
{
	note_lock("lock");
	note_lock("again");
	hub_join(hub_spawn(try_anothers, NULL), NULL);
	note_unlock("unlock");
	hub_join(hub_spawn(try_anothers, NULL), NULL);
	note_unlock("once more");
	return argument;
}

Test(mutex, errors_are_of_a_coroutine)
{
	hub_patch_all();
	init(PTHREAD_MUTEX_ERRORCHECK);
	in_hub(own, NULL);
	EXPECT_TRACE("lock 0, again EDEADLK, another tries EBUSY, another unlocks EPERM, "
		     "unlock 0, another tries 0, another unlocks 0, once more EPERM");
}

/* ---- time, kills, threads ---- */

static void *
hold(void *argument)
{
	pthread_mutex_lock(&mutex);
	usleep(30000);
	pthread_mutex_unlock(&mutex);
	return argument;
}

static void *
lock_in_time(void *argument)
{
	struct hub_coroutine *holder = hub_spawn(hold, NULL);
	struct timespec end, wrong = {0, 2000000000};

	until_it_waits(holder);
	clock_gettime(CLOCK_REALTIME, &end);
	trace_error("at once", pthread_mutex_timedlock(&mutex, &end));
	trace_error("at no time", pthread_mutex_timedlock(&mutex, &wrong));
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 10;
	trace_error("in ten seconds", pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &end));
	note_unlock("unlock");
	hub_join(holder, NULL);
	return argument;
}

Test(mutex, deadlines_hold)
{
	hub_patch_all();
	init(PTHREAD_MUTEX_NORMAL);
	in_hub(lock_in_time, NULL);
	EXPECT_TRACE("at once ETIMEDOUT, at no time EINVAL, in ten seconds 0, unlock 0");
}

static void *
lock_killed(void *argument)
{
	/* Code that locks looks at no error; what may fail, fails. */
	note_lock("killed lock");
	trace_say(sleep(1) != 0 ? "sleep fails" : "sleep 0");
	note_unlock("unlock");
	return argument;
}

static void *
kill_waiter(void *argument)
{
	struct hub_coroutine *holder = hub_spawn(hold, NULL), *waiter;

	until_it_waits(holder);
	waiter = hub_spawn(lock_killed, NULL);
	until_it_waits(waiter);
	hub_kill(waiter);
	hub_join(waiter, NULL);
	hub_join(holder, NULL);
	note_try("another tries");
	return argument;
}

Test(mutex, a_kill_does_not_make_locking_fail)
{
	hub_patch_all();
	init(PTHREAD_MUTEX_NORMAL);
	in_hub(kill_waiter, NULL);
	EXPECT_TRACE("killed lock 0, sleep fails, unlock 0, another tries 0");
}

static long counter;

static void *
count_in_thread(void *argument)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

static void *
count_in_coroutine(void *argument)
{
	for (int i = 0; i < 200; i++) {
		long before;

		pthread_mutex_lock(&mutex);
		before = counter;
		usleep(0);
		counter = before + 1;
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

static void *
count_all(void *argument)
{
	struct hub_coroutine *coroutines[10];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, count_in_thread, NULL);
	for (int i = 0; i < 10; i++)
		coroutines[i] = hub_spawn(count_in_coroutine, NULL);
	for (int i = 0; i < 10; i++)
		hub_join(coroutines[i], NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return argument;
}

Test(mutex, threads_and_coroutines_exclude_each_other)
{
	hub_patch_all();
	init(PTHREAD_MUTEX_NORMAL);
	in_hub(count_all, NULL);
	cr_assert_eq(counter, 4 * 20000 + 10 * 200);
}

static void *
lock_again(void *argument)
{
	note_lock("lock");
	note_lock("again");
	return argument;
}

Test(mutex, locking_a_plain_one_twice_is_a_deadlock_that_is_told)
{
	hub_patch_all();
	init(PTHREAD_MUTEX_NORMAL);
	cr_assert_eq(hub_run(lock_again, NULL, NULL), 0);
	EXPECT_TRACE("lock 0, again EDEADLK");
}

static void *
lock_the_threads(void *argument)
{
	note_lock("lock");
	note_unlock("unlock");
	return argument;
}

Test(mutex, a_recursive_one_of_the_thread_is_its_coroutines_too)
{
	hub_patch_all();
	init(PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_lock(&mutex);
	in_hub(lock_the_threads, NULL);
	EXPECT_TRACE("lock 0, unlock 0");
	cr_expect_eq(pthread_mutex_unlock(&mutex), 0);
	cr_expect_eq(pthread_mutex_unlock(&mutex), EPERM);
}

/* ---- of one that has died with it, in whose memory there is another ---- */

static void *
die_with_it(void *argument)
{
	pthread_mutex_lock(&mutex);
	*(void **)argument = hub_current();
	return NULL;
}

static void *
try_all(void *argument)
{
	struct timespec at_once = {0, 0};

	trace_say(
		*(void **)argument == hub_current() ? "in its memory" : "elsewhere: tells nothing");
	note_try("try");
	note_unlock("unlock");
	trace_error("lock at once", pthread_mutex_timedlock(&mutex, &at_once));
	return NULL;
}

static void *
succeed(void *argument)
{
	void *dead = argument;

	hub_join(hub_spawn(die_with_it, &dead), NULL);
	hub_join(hub_spawn(try_all, &dead), NULL);
	return NULL;
}

Test(mutex, a_dead_owners_is_not_its_successors)
{
	static const int kinds[] = {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK};

	hub_patch_all();
	for (int i = 0; i < 2; i++) {
		init(kinds[i]);
		in_hub(succeed, NULL);
		EXPECT_TRACE("in its memory, try EBUSY, unlock EPERM, lock at once ETIMEDOUT");
	}
}

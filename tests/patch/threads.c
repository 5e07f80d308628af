/* A plain program of a hundred threads: each blocks for 0.2 s, uses a key, a mutex and a condition,
 * and is joined. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS 100

static pthread_key_t key, text_key;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
static int here, destroyed, most_threads;

static void
destroy(void *value)
{
	(void)value;
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static int
kernel_threads(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[128];
	int count = 0;

	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "Threads: %d", &count) == 1)
			break;
	if (status != NULL)
		fclose(status);
	return count;
}

static void *
work(void *argument)
{
	pthread_t self = pthread_self();

	pthread_setspecific(key, argument);
	pthread_setspecific(text_key, strdup("text"));
	pthread_mutex_lock(&mutex);
	here++;
	if (here == THREADS)
		most_threads = kernel_threads();
	while (here < THREADS)
		pthread_cond_wait(&all_here, &mutex);
	pthread_cond_broadcast(&all_here);
	pthread_mutex_unlock(&mutex);
	usleep(200000);
	*(char *)pthread_getspecific(text_key) = 'T';
	if (pthread_getspecific(key) != argument || !pthread_equal(self, pthread_self()))
		return NULL;
	if ((long)argument % 2 == 0)
		pthread_exit(argument);
	return argument;
}

static void *
sleep_long(void *argument)
{
	for (;;)
		sleep(1000);
	return argument;
}

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static int cleaned;

static void
clean(void *argument)
{
	/* A handler may block, though its thread was cancelled. */
	if (usleep(2000) != 0)
		return;
	cleaned += (int)(long)argument;
	pthread_mutex_unlock(&mutex);
}

static void *
wait_for_ever(void *argument)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(clean, (void *)10);
	for (;;)
		pthread_cond_wait(&all_here, &mutex);
	pthread_cleanup_pop(0);
	return argument;
}

static void *
leave_early(void *argument)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(clean, (void *)1);
	pthread_exit(argument);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *
lock_outer(void *argument)
{
	pthread_mutex_lock(&outer);
	pthread_mutex_unlock(&outer);
	return argument;
}

static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;

static void *
read_shared(void *argument)
{
	pthread_rwlock_rdlock(&shared);
	pthread_rwlock_unlock(&shared);
	pthread_testcancel();
	return argument;
}

static void *
write_shared(void *argument)
{
	pthread_rwlock_wrlock(&shared);
	usleep(30000);
	pthread_rwlock_unlock(&shared);
	return argument;
}

static void *
sleep_shortly(void *argument)
{
	usleep(20000);
	return argument;
}

/* Returns whether handlers ran, and a mutex of this thread's keeps nobody from being joined. */
static int
clean_up(void)
{
	pthread_t one, other;
	void *result;

	pthread_create(&one, NULL, leave_early, &cleaned);
	if (pthread_join(one, &result) != 0 || result != &cleaned || cleaned != 1)
		return 0;
	pthread_create(&one, NULL, wait_for_ever, NULL);
	usleep(10000);
	pthread_cancel(one);
	if (pthread_join(one, &result) != 0 || result != PTHREAD_CANCELED || cleaned != 11)
		return 0;
	/* One that is cancelled while it waits for what another of them holds. */
	pthread_create(&other, NULL, write_shared, NULL);
	usleep(5000);
	pthread_create(&one, NULL, read_shared, NULL);
	usleep(5000);
	pthread_cancel(one);
	if (pthread_join(one, &result) != 0 || result != PTHREAD_CANCELED ||
		pthread_join(other, NULL) != 0)
		return 0;
	pthread_mutex_lock(&outer);
	pthread_create(&one, NULL, lock_outer, NULL);
	pthread_create(&other, NULL, sleep_shortly, NULL);
	pthread_join(other, NULL);
	pthread_mutex_unlock(&outer);
	return pthread_join(one, NULL) == 0 && pthread_mutex_trylock(&mutex) == 0;
}

int
main(void)
{
	pthread_t threads[THREADS], last;
	struct timespec began, ended;
	int right = 0;
	void *result;

	clock_gettime(CLOCK_MONOTONIC, &began);
	pthread_key_create(&key, destroy);
	pthread_key_create(&text_key, free);
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(i + 1)) != 0)
			return 1;
	for (long i = 0; i < THREADS; i++)
		right += pthread_join(threads[i], &result) == 0 && result == (void *)(i + 1);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%d of %d right, %d destroyed, %s, %s\n", right, THREADS, destroyed,
		most_threads > THREADS ? "a kernel thread for each"
		: most_threads <= 4    ? "one kernel thread for all"
				       : "?",
		ended.tv_sec - began.tv_sec + (ended.tv_nsec - began.tv_nsec) / 1e9 < 1 ? "in time"
											: "late");
	if (pthread_create(&last, NULL, sleep_long, NULL) != 0 || pthread_cancel(last) != 0 ||
		pthread_join(last, &result) != 0)
		return 1;
	printf("%s\n", result == PTHREAD_CANCELED ? "canceled" : "not canceled");
	printf("%s\n", clean_up() ? "cleaned up" : "not cleaned up");
	if (pthread_create(&last, NULL, sleep_long, NULL) != 0 || pthread_detach(last) != 0)
		return 1;
	return right == THREADS ? 0 : 1;
}

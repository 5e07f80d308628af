/* Hubs and plain threads use the same shared semaphore, event and queues, with deadlines and kills
 * at any moment: no item, permit or wake-up is lost. With a plain main, for ThreadSanitizer. */
#include <errno.h>
#include <hubbub/hub.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { HUBS = 3, THREADS = 2, COROUTINES = 8, LOOPS = 1500, PERMITS = 3 };

static struct hub_shared_semaphore *semaphore;
static struct hub_shared_event *event;
static struct hub_shared_queue *queue;
static atomic_long put, got, held, worst, failures;

static void
expect(int condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "stress-shared: %s\n", what);
		atomic_fetch_add(&failures, 1);
	}
}

/* One turn of a coroutine or thread; number makes the turns differ. */
static void
turn(unsigned number)
{
	void *item = NULL;
	long now;

	switch (number % 4) {
	case 0:
		if (hub_shared_queue_put(queue, (void *)1) == 0)
			atomic_fetch_add(&put, 1);
		break;
	case 1:
		/* Does not wait: a plain thread would wait for ever once the others are done. */
		if (hub_shared_queue_try_get(queue, &item) == 0)
			atomic_fetch_add(&got, (long)item);
		break;
	case 2:
		if (hub_shared_semaphore_acquire(semaphore) != 0)
			break;
		now = atomic_fetch_add(&held, 1) + 1;
		if (now > atomic_load(&worst))
			atomic_store(&worst, now);
		if (hub_current() != NULL)
			hub_sleep(0);
		atomic_fetch_sub(&held, 1);
		hub_shared_semaphore_release(semaphore);
		break;
	case 3:
		if (number % 8 == 3)
			hub_shared_event_clear(event);
		else
			hub_shared_event_set(event);
		break;
	}
}

static void *
coroutine_main(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;

	for (int i = 0; i < LOOPS; i++) {
		struct hub_timeout scope;
		void *item = NULL;

		hub_timeout_start(&scope, (int64_t)(rand_r(&seed) % 200) * HUB_MICROSECOND);
		turn((unsigned)rand_r(&seed));
		if (rand_r(&seed) % 4 == 0)
			hub_shared_event_wait(event);
		else if (hub_shared_queue_get(queue, &item) == 0)
			atomic_fetch_add(&got, (long)item);
		hub_timeout_stop(&scope);
		hub_catch_kill();
	}
	return NULL;
}

static void *
hub_main(void *argument)
{
	struct hub_coroutine *coroutines[COROUTINES];
	size_t ended = 0;

	for (unsigned i = 0; i < COROUTINES; i++)
		coroutines[i] =
			hub_spawn(coroutine_main, (void *)(100 * (uintptr_t)argument + i + 1));
	while (ended < COROUTINES) {
		struct hub_timeout scope;

		hub_timeout_start(&scope, HUB_MILLISECOND);
		hub_wait_ended(coroutines, COROUTINES, COROUTINES, 0, &ended);
		hub_timeout_stop(&scope);
		hub_kill(coroutines[COROUTINES - 1]);
	}
	for (int i = 0; i < COROUTINES; i++)
		hub_join(coroutines[i], NULL);
	return NULL;
}

static void *
hub_thread(void *argument)
{
	expect(hub_run(hub_main, argument, NULL) == 0, "hub_run fails");
	return NULL;
}

static void *
plain_thread(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;

	for (int i = 0; i < LOOPS; i++)
		turn((unsigned)rand_r(&seed));
	return NULL;
}

int
main(void)
{
	pthread_t threads[HUBS + THREADS];
	void *item;

	semaphore = hub_shared_semaphore_new(PERMITS);
	event = hub_shared_event_new();
	/* Unbounded, because plain threads put without a deadline. */
	queue = hub_shared_queue_new(0);
	for (uintptr_t i = 0; i < HUBS + THREADS; i++)
		pthread_create(
			&threads[i], NULL, i < HUBS ? hub_thread : plain_thread, (void *)(i + 1));
	for (int i = 0; i < HUBS + THREADS; i++)
		pthread_join(threads[i], NULL);
	while (hub_shared_queue_try_get(queue, &item) == 0)
		got += (long)item;
	expect(put == got, "items are lost or made");
	expect(worst <= PERMITS, "more permits than there are");
	for (int i = 0; i < PERMITS; i++)
		expect(hub_shared_semaphore_try_acquire(semaphore) == 0, "a permit is lost");
	expect(hub_shared_semaphore_try_acquire(semaphore) == -1, "a permit is made");
	hub_shared_semaphore_free(semaphore);
	hub_shared_event_free(event);
	hub_shared_queue_free(queue);
	printf("stress-shared: %ld items, %ld failures\n", (long)put, (long)failures);
	return failures == 0 ? 0 : 1;
}

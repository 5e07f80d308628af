/* What hubs and threads share: semaphores, events and queues, on both ends of which both may be. */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/allocated.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct record {
	struct hub_shared_semaphore *semaphore;
	struct hub_shared_event *event;
	struct hub_shared_queue *queue;
	atomic_long sum;
	atomic_int ready;
};

static struct record shared;

static void *
release_later(void *argument)
{
	struct timespec pause = {0, 2000000};

	nanosleep(&pause, NULL);
	hub_shared_semaphore_release(shared.semaphore);
	nanosleep(&pause, NULL);
	hub_shared_event_set(shared.event);
	nanosleep(&pause, NULL);
	hub_shared_queue_put(shared.queue, &shared);
	return argument;
}

static void *
from_thread_body(void *argument)
{
	struct hub_timeout scope;
	void *item = NULL;
	pthread_t thread;

	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("acquire in a scope", hub_shared_semaphore_acquire(shared.semaphore));
	trace_call("wait in a scope", hub_shared_event_wait(shared.event));
	trace_call("get in a scope", hub_shared_queue_get(shared.queue, &item));
	hub_timeout_stop(&scope);
	pthread_create(&thread, NULL, release_later, NULL);
	/* With nothing else to wake it: no deadlock is found. */
	trace_call("acquire", hub_shared_semaphore_acquire(shared.semaphore));
	trace_call("wait", hub_shared_event_wait(shared.event));
	trace_call("get", hub_shared_queue_get(shared.queue, &item));
	trace_whether("the item", item == &shared);
	pthread_join(thread, NULL);
	trace_call("try to acquire", hub_shared_semaphore_try_acquire(shared.semaphore));
	trace_call("try to get", hub_shared_queue_try_get(shared.queue, &item));
	hub_shared_queue_put(shared.queue, NULL);
	trace_call("try to put", hub_shared_queue_try_put(shared.queue, NULL));
	hub_shared_queue_close(shared.queue);
	trace_call("get what is left", hub_shared_queue_get(shared.queue, &item));
	trace_call("get of the closed", hub_shared_queue_get(shared.queue, &item));
	trace_call("put", hub_shared_queue_put(shared.queue, NULL));
	return argument;
}

static void
make_all(size_t capacity)
{
	shared.semaphore = hub_shared_semaphore_new(0);
	shared.event = hub_shared_event_new();
	shared.queue = hub_shared_queue_new(capacity);
}

static void
free_all(void)
{
	hub_shared_semaphore_free(shared.semaphore);
	hub_shared_event_free(shared.event);
	hub_shared_queue_free(shared.queue);
}

Test(shared, a_plain_thread_wakes_a_coroutine)
{
	make_all(1);
	in_hub(from_thread_body, NULL);
	cr_assert_str_eq(trace_text(),
		"acquire in a scope ETIMEDOUT, wait in a scope ETIMEDOUT, "
		"get in a scope ETIMEDOUT, acquire 0, wait 0, get 0, the item, "
		"try to acquire EAGAIN, try to get EAGAIN, try to put EAGAIN, "
		"get what is left 0, get of the closed EPIPE, put EPIPE");
	free_all();
}

#define ITEMS 2000

static void *
put_many(void *argument)
{
	for (long i = 1; i <= ITEMS; i++)
		hub_shared_queue_put(shared.queue, (void *)i);
	return argument;
}

static void *
get_many(void *argument)
{
	void *item;

	while (hub_shared_queue_get(shared.queue, &item) == 0)
		atomic_fetch_add(&shared.sum, (long)item);
	return argument;
}

static void *
hub_thread(void *argument)
{
	hub_run((hub_fn *)argument, NULL, NULL);
	return NULL;
}

Test(shared, hubs_and_threads_on_both_ends_of_one_queue)
{
	pthread_t putters[3], getters[3];

	make_all(4);
	pthread_create(&getters[0], NULL, get_many, NULL);
	pthread_create(&getters[1], NULL, hub_thread, (void *)get_many);
	pthread_create(&getters[2], NULL, hub_thread, (void *)get_many);
	pthread_create(&putters[0], NULL, put_many, NULL);
	pthread_create(&putters[1], NULL, hub_thread, (void *)put_many);
	pthread_create(&putters[2], NULL, hub_thread, (void *)put_many);
	for (int i = 0; i < 3; i++)
		pthread_join(putters[i], NULL);
	hub_shared_queue_close(shared.queue);
	for (int i = 0; i < 3; i++)
		pthread_join(getters[i], NULL);
	cr_assert_eq(shared.sum, 3L * ITEMS * (ITEMS + 1) / 2);
	free_all();
}

static void
deliver(struct hub_message *message)
{
	(void)message;
	trace_call("wait", hub_shared_event_wait(shared.event));
	shared.ready = 1;
}

static void *
in_message_body(void *argument)
{
	struct hub_message message = {.deliver = deliver};

	hub_mailbox_post(hub_mailbox(), &message);
	while (!shared.ready)
		hub_sleep(HUB_MILLISECOND);
	return argument;
}

Test(shared, waiting_where_no_coroutine_runs_is_refused)
{
	make_all(0);
	in_hub(in_message_body, NULL);
	cr_assert_str_eq(trace_text(), "wait EPERM");
	free_all();
}

/* ---- freed by whoever was woken ---- */

static struct hub_shared_queue *handed;

static void *
set_handed(void *argument)
{
	void *event;

	while (hub_shared_queue_get(handed, &event) == 0)
		hub_shared_event_set(event);
	return argument;
}

static void *
free_woken_body(void *argument)
{
	for (int i = 0; i < 300; i++) {
		struct hub_shared_event *event = hub_shared_event_new();

		hub_shared_queue_put(handed, event);
		*(int *)argument += hub_shared_event_wait(event) == 0;
		hub_shared_event_free(event);
	}
	hub_shared_queue_close(handed);
	return NULL;
}

Test(shared, the_woken_one_may_free_the_object)
{
	pthread_t thread;
	int woken = 0;

	handed = hub_shared_queue_new(0);
	pthread_create(&thread, NULL, set_handed, NULL);
	in_hub(free_woken_body, &woken);
	pthread_join(thread, NULL);
	hub_shared_queue_free(handed);
	cr_assert_eq(woken, 300);
}

Test(shared, a_queue_gives_back_what_a_crowd_has_needed)
{
	enum { CROWD = 100000 };
	struct hub_shared_queue *queue = hub_shared_queue_new(0);
	long before = allocated_bytes();
	void *item;

	for (intptr_t i = 0; i < CROWD; i++)
		hub_shared_queue_try_put(queue, (void *)i);
	for (intptr_t i = 0; i < CROWD; i++) {
		hub_shared_queue_try_get(queue, &item);
		cr_assert_eq((intptr_t)item, i);
	}
	if (before != -1)
		cr_assert_lt(allocated_bytes() - before, 16 * 1024);
	hub_shared_queue_free(queue);
}

Test(shared, tells_what_is_set_and_free)
{
	struct hub_shared_event *event = hub_shared_event_new();
	struct hub_shared_semaphore *semaphore = hub_shared_semaphore_new(2);

	cr_assert_not(hub_shared_event_is_set(event));
	hub_shared_event_set(event);
	cr_assert(hub_shared_event_is_set(event));
	cr_assert_eq(hub_shared_semaphore_try_acquire(semaphore), 0);
	cr_assert_eq(hub_shared_semaphore_count(semaphore), 1);
	hub_shared_event_free(event);
	hub_shared_semaphore_free(semaphore);
}

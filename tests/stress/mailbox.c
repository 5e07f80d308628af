/* Hubs in several threads post to each other's mailboxes while their coroutines switch, sleep, time
 * out and are killed: every message arrives. With a plain main, for ThreadSanitizer. Prints "ok"
 * and exits with 0, or says what was lost. */
#include <hubbub/hub.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define HUBS 4
#define COROUTINES 200
#define ROUNDS 2000

static struct hub_mailbox *mailboxes[HUBS];
static pthread_barrier_t barrier;
static atomic_long delivered, posted;

struct note {
	struct hub_message message;
};

static void
deliver(struct hub_message *message)
{
	atomic_fetch_add(&delivered, 1);
	free(message);
}

static void *
post_and_sleep(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;

	for (int i = 0; i < ROUNDS / COROUTINES * 10; i++) {
		struct note *note = malloc(sizeof *note);

		seed = seed * 1103515245 + 12345;
		note->message.deliver = deliver;
		hub_mailbox_post(mailboxes[seed >> 16 & (HUBS - 1)], &note->message);
		atomic_fetch_add(&posted, 1);
		if (hub_sleep(seed >> 20 & 1 ? 0 : HUB_MILLISECOND) != 0)
			return NULL;
	}
	return NULL;
}

static void *
sleep_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
hub_body(void *argument)
{
	int index = (int)(intptr_t)argument;
	struct hub_coroutine *posters[COROUTINES], *victims[COROUTINES];
	struct hub_timeout scope;

	mailboxes[index] = hub_mailbox();
	pthread_barrier_wait(&barrier);
	for (uintptr_t i = 0; i < COROUTINES; i++) {
		posters[i] = hub_spawn(post_and_sleep, (void *)(i * HUBS + (uintptr_t)index + 1));
		victims[i] = hub_spawn(sleep_for_ever, NULL);
	}
	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	hub_sleep(HUB_FOREVER);
	hub_timeout_stop(&scope);
	for (int i = 0; i < COROUTINES; i++) {
		hub_kill(victims[i]);
		hub_join(victims[i], NULL);
		hub_join(posters[i], NULL);
	}
	/* All threads have posted everything: waits for what is on its way before the others are
	 * told to end. */
	pthread_barrier_wait(&barrier);
	while (atomic_load(&delivered) != atomic_load(&posted))
		if (hub_sleep(HUB_MILLISECOND) != 0)
			break;
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void *
thread_body(void *argument)
{
	hub_run(hub_body, argument, NULL);
	return NULL;
}

int
main(void)
{
	pthread_t threads[HUBS];

	pthread_barrier_init(&barrier, NULL, HUBS);
	for (intptr_t i = 0; i < HUBS; i++)
		pthread_create(&threads[i], NULL, thread_body, (void *)i);
	for (int i = 0; i < HUBS; i++)
		pthread_join(threads[i], NULL);
	if (delivered != posted) {
		printf("posted %ld, delivered %ld\n", posted, delivered);
		return 1;
	}
	printf("ok: %ld messages between %d hubs\n", delivered, HUBS);
	return 0;
}

/* Mailboxes: messages of several threads, each once, in the order of its sender. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "tests/support/in_hub.h"

#define SENDERS 4
#define MESSAGES 5000

struct record {
	int waited; /* what waiting for it has returned */
	struct hub_event done;
	struct hub_mailbox *mailbox;
	struct numbered {
		struct hub_message message;
		struct record *record;
		int sender;
		int number;
	} messages[SENDERS][MESSAGES];
	int last[SENDERS];
	int received;
	int disorder;
	bool on_other_thread;
	pthread_t thread;
};

static void
deliver(struct hub_message *message)
{
	struct numbered *numbered = (struct numbered *)message;
	struct record *record = numbered->record;

	record->on_other_thread |= !pthread_equal(record->thread, pthread_self());
	record->disorder += numbered->number != record->last[numbered->sender] + 1;
	record->last[numbered->sender] = numbered->number;
	if (++record->received == SENDERS * MESSAGES)
		hub_event_set(&record->done);
}

struct sender {
	struct record *record;
	int index;
};

static void *
send_all(void *argument)
{
	struct sender *sender = argument;

	for (int i = 0; i < MESSAGES; i++) {
		struct numbered *numbered = &sender->record->messages[sender->index][i];

		*numbered =
			(struct numbered){{NULL, deliver}, sender->record, sender->index, i + 1};
		hub_mailbox_post(sender->record->mailbox, &numbered->message);
	}
	return NULL;
}

static void *
receive_body(void *argument)
{
	struct record *record = argument;
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];

	record->mailbox = hub_mailbox();
	record->thread = pthread_self();
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){record, i};
		pthread_create(&threads[i], NULL, send_all, &senders[i]);
	}
	hub_event_wait(&record->done);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	return NULL;
}

Test(mailbox, every_message_arrives_once_and_in_the_order_of_its_sender, .timeout = 60)
{
	static struct record record;

	in_hub(receive_body, &record);
	cr_assert_eq(record.received, SENDERS * MESSAGES);
	cr_assert_eq(record.disorder, 0);
	cr_assert_not(record.on_other_thread);
}

static void *
post_late(void *argument)
{
	struct record *record = argument;
	struct numbered *numbered = &record->messages[0][0];

	/* Long enough that a hub without this door would have reported a deadlock. */
	poll(NULL, 0, 20);
	*numbered = (struct numbered){{NULL, deliver}, record, 0, 1};
	record->received = SENDERS * MESSAGES - 1;
	hub_mailbox_post(record->mailbox, &numbered->message);
	return NULL;
}

static void *
wait_late_body(void *argument)
{
	struct record *record = argument;
	pthread_t thread;

	record->mailbox = hub_mailbox();
	record->thread = pthread_self();
	pthread_create(&thread, NULL, post_late, record);
	record->waited = hub_event_wait(&record->done);
	pthread_join(thread, NULL);
	return NULL;
}

Test(mailbox, waiting_for_another_thread_is_no_deadlock)
{
	static struct record record = {.waited = -1};

	in_hub(wait_late_body, &record);
	cr_assert_eq(record.waited, 0);
}

/* A message that ends the hub, posted while that is busy: the poster must not touch what is
 * freed. */
struct stopping {
	struct hub_event stop;
	struct hub_mailbox *mailbox;
	pthread_barrier_t ready;
	struct hub_message message;
};

static void
deliver_stop(struct hub_message *message)
{
	hub_event_set(
		&((struct stopping *)((char *)message - offsetof(struct stopping, message)))->stop);
}

static void *
stopped_body(void *argument)
{
	struct stopping *stopping = argument;

	stopping->mailbox = hub_mailbox();
	pthread_barrier_wait(&stopping->ready);
	while (!stopping->stop.is_set)
		hub_sleep(0);
	return NULL;
}

static void *
stopped_thread(void *argument)
{
	hub_run(stopped_body, argument, NULL);
	return NULL;
}

Test(mailbox, a_message_may_end_its_hub, .timeout = 60)
{
	for (int i = 0; i < 200; i++) {
		struct stopping stopping = {.message = {NULL, deliver_stop}};
		pthread_t thread;

		pthread_barrier_init(&stopping.ready, NULL, 2);
		pthread_create(&thread, NULL, stopped_thread, &stopping);
		pthread_barrier_wait(&stopping.ready);
		hub_mailbox_post(stopping.mailbox, &stopping.message);
		pthread_join(thread, NULL);
		pthread_barrier_destroy(&stopping.ready);
	}
}

/* ---- spawning into another thread's hub ---- */

#define SPAWNS 1000

struct spawning {
	struct hub_mailbox *mailbox;
	struct hub_event done;
	pthread_t thread;
	int results;
	int run, elsewhere;
};

static void *
run_here(void *argument)
{
	struct spawning *spawning = argument;

	spawning->elsewhere += !pthread_equal(pthread_self(), spawning->thread);
	/* It is a coroutine like any other. */
	spawning->elsewhere += hub_sleep(0) != 0;
	if (++spawning->run == SPAWNS)
		hub_event_set(&spawning->done);
	return NULL;
}

static void *
spawn_all(void *argument)
{
	struct spawning *spawning = argument;

	for (int i = 0; i < SPAWNS; i++)
		spawning->results += hub_spawn_into(spawning->mailbox, run_here, spawning);
	return NULL;
}

static void *
spawning_body(void *argument)
{
	struct spawning *spawning = argument;
	pthread_t thread;

	spawning->mailbox = hub_mailbox();
	spawning->thread = pthread_self();
	pthread_create(&thread, NULL, spawn_all, spawning);
	hub_event_wait(&spawning->done);
	pthread_join(thread, NULL);
	/* These are dropped, with what the library has made for them. */
	spawn_all(spawning);
	return NULL;
}

Test(mailbox, spawns_from_other_threads)
{
	struct spawning spawning = {0};

	in_hub(spawning_body, &spawning);
	cr_assert_eq(spawning.results, 0);
	cr_assert_eq(spawning.run, SPAWNS);
	cr_assert_eq(spawning.elsewhere, 0);
}

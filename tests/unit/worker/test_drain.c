/* Draining, on the acceptor of a thread, in a hub of the test's. */
#include "worker/drain.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/unit/worker/lone.h"
#include "worker/acceptor.h"
#include "worker/busy.h"

/* What each client has said when the hub begins to drain. */
enum { SILENT, HALF, ANSWERED, DEALT_WITH, BUSY, CLIENTS };

struct record {
	int early
		[CLIENTS]; /* what it was told before the deadline: 0 for the end, -1 for nothing */
	int late[CLIENTS]; /* and after it */
};

static struct lone lone;

static void
serve(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1) {
		if (byte == 'b')
			hubbub_busy(client);
		if (byte == 'd')
			hubbub_idle(client);
		else if (byte != 'h')
			hub_send(client, &byte, 1, 0);
	}
}

static void
begin(void)
{
	lone_begin(&lone, serve);
	lone.thread.drain_window = HUB_SECOND;
}

static void
end(void)
{
	lone_end(&lone);
}

TestSuite(drain, .init = begin, .fini = end, .timeout = 60);

/* What a client is told within a time: 0 for the end, -1 for nothing. */
static int
told(int client, int64_t nanoseconds)
{
	struct hub_timeout scope;
	char byte;
	int got;

	hub_timeout_start(&scope, nanoseconds);
	got = (int)hub_recv(client, &byte, 1, 0);
	hub_timeout_stop(&scope);
	return got;
}

static void *
drain_body(void *argument)
{
	static const char said[CLIENTS] = {0, 'h', 'a', 'd', 'b'};
	struct record *record = argument;
	struct hub_coroutine *drain;
	int clients[CLIENTS];

	counters_give_permits(lone.row, CLIENTS);
	acceptor_start(&lone.thread.acceptors[0]);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = hub_socket(AF_INET, SOCK_STREAM, 0);
		hub_connect(clients[i], (struct sockaddr *)&lone.address, sizeof lone.address);
		/* The kernel is to see that it came after the beginning. */
		hub_sleep(20 * HUB_MILLISECOND);
		if (said[i] != 0)
			hub_send(clients[i], &said[i], 1, 0);
		if (i == ANSWERED || i == BUSY)
			told(clients[i], 10 * HUB_SECOND);
	}
	drain = hub_spawn(drain_run, &lone.thread);
	record->early[ANSWERED] = told(clients[ANSWERED], 10 * HUB_SECOND);
	record->early[DEALT_WITH] = told(clients[DEALT_WITH], 10 * HUB_SECOND);
	/* The others stay, though the window has passed. */
	hub_sleep(HUB_SECOND);
	for (int i = 0; i < CLIENTS; i++)
		if (i != ANSWERED && i != DEALT_WITH)
			record->early[i] = told(clients[i], 10 * HUB_MILLISECOND);
	lone.thread.commanded |= 1U << THREAD_FINISH;
	for (int i = 0; i < CLIENTS; i++)
		record->late[i] = told(clients[i], 10 * HUB_SECOND);
	hub_kill(drain);
	hub_join(drain, NULL);
	for (int i = 0; i < CLIENTS; i++)
		hub_close(clients[i]);
	acceptor_pause(&lone.thread.acceptors[0]);
	hub_pool_join(&lone.thread.pool);
	return NULL;
}

Test(drain, ends_those_between_two_requests_first_and_all_at_the_deadline)
{
	struct record record = {0};

	in_hub(drain_body, &record);
	cr_assert_eq(record.early[SILENT], -1);
	cr_assert_eq(record.early[HALF], -1);
	cr_assert_eq(record.early[ANSWERED], 0);
	cr_assert_eq(record.early[DEALT_WITH], 0);
	cr_assert_eq(record.early[BUSY], -1);
	for (int i = 0; i < CLIENTS; i++)
		cr_assert_eq(record.late[i], 0, "%d", i);
}

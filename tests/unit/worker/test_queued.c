/* The end of a hub's queues, on a hub of the test's, which has a sibling that has no thread. */
#include "worker/queued.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "worker/acceptor.h"
#include "worker/counters.h"
#include "worker/thread.h"

#define LISTENERS 2
#define CLIENTS 3 /* at each */

static struct counters *counters;
static struct worker_row *rows, *own, *siblings; /* rows are those of both */
static struct worker_thread threads[2];
static struct sockaddr_in addresses[LISTENERS];
static int file, listeners[LISTENERS], served;
static bool kept[LISTENERS];

static void
serve(int client, void *context)
{
	char byte;

	(void)context;
	served++;
	hub_recv(client, &byte, 1, 0);
}

static struct worker_heritage heritage = {.serve = serve,
	.threads = 1,
	.addresses = LISTENERS,
	.backlog = 16,
	.sockets = listeners,
	.kept = kept};

/* In the hub's coroutine: what it closes, it has opened. */
static int
open_all(void)
{
	socklen_t length = sizeof *addresses;

	for (int i = 0; i < LISTENERS; i++) {
		addresses[i] = (struct sockaddr_in){.sin_family = AF_INET};
		addresses[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (bind(listeners[i], (struct sockaddr *)&addresses[i], length) != 0 ||
			listen(listeners[i], 16) != 0 ||
			getsockname(listeners[i], (struct sockaddr *)&addresses[i], &length) != 0)
			return -1;
	}
	if (thread_init(&threads[0], &heritage, 0, NULL) != 0)
		return -1;
	threads[1].row = &rows[1];
	threads[0].siblings = threads;
	threads[0].sibling_count = 2;
	return 0;
}

static void
begin(void)
{
	counters = counters_new(&file);
	heritage.counters = counters;
	heritage.rows = rows = counters_claim(counters, 0, 1, 2);
	cr_assert_not_null(rows);
	own = &rows[0];
	siblings = &rows[1];
}

static void
end(void)
{
	counters_free(&counters);
	close(file);
}

TestSuite(queued, .init = begin, .fini = end, .timeout = 60);

struct record {
	int clients[LISTENERS][CLIENTS];
	enum thread_command command; /* given before, or THREAD_COMMAND_MAX */
	int64_t permits, more_after; /* of the sibling; it gets that many more after a while */
	int error, ended, reset, closed, left;
	int64_t lasted;
};

static void *
give_later(void *argument)
{
	const struct record *record = argument;

	hub_sleep(50 * HUB_MILLISECOND);
	counters_give_permits(siblings, record->more_after);
	return NULL;
}

static void
look(struct record *record, int client)
{
	char byte;
	ssize_t got = recv(client, &byte, 1, MSG_DONTWAIT);

	record->ended += got == 0;
	record->reset += got == -1 && errno == ECONNRESET;
	close(client);
}

static void *
body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *giver;
	int64_t began;
	int spare, client;

	record->error = open_all();
	spare = dup(listeners[1]);
	for (int i = 0; i < LISTENERS; i++)
		for (int j = 0; j < CLIENTS; j++) {
			record->clients[i][j] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
			connect(record->clients[i][j], (struct sockaddr *)&addresses[i],
				sizeof addresses[i]);
			send(record->clients[i][j], "", 1, 0);
		}
	counters_give_permits(siblings, record->permits);
	giver = hub_spawn(give_later, record);
	if (record->command != THREAD_COMMAND_MAX)
		threads[0].commanded = 1U << record->command;
	began = hub_now();
	queued_end(&threads[0]);
	record->lasted = hub_now() - began;
	hub_join(giver, NULL);
	hub_pool_join(&threads[0].pool);
	for (int i = 0; i < LISTENERS; i++) {
		record->closed += threads[0].acceptors[i].is_closed;
		for (int j = 0; j < CLIENTS; j++)
			look(record, record->clients[i][j]);
	}
	while ((client = accept(spare, NULL, NULL)) != -1) {
		close(client);
		record->left++;
	}
	close(spare);
	thread_fini(&threads[0]);
	return NULL;
}

Test(queued, the_permits_of_siblings_serve_whoever_waits_at_any_listener)
{
	struct record record = {
		.command = THREAD_COMMAND_MAX, .permits = 1, .more_after = CLIENTS * LISTENERS - 1};

	in_hub(body, &record);
	cr_assert_eq(record.error, 0);
	cr_assert_eq(served, CLIENTS * LISTENERS);
	cr_assert_eq(record.closed, LISTENERS);
	cr_assert_eq(own->permits + siblings->permits, CLIENTS * LISTENERS);
	cr_assert_eq(own->dismissed, 0);
	cr_assert_eq(record.reset, 0);
}

/* Those whose handshakes had begun come into a full queue as it gets shorter. */
Test(queued, as_many_are_served_as_come)
{
	struct record record = {.command = THREAD_COMMAND_MAX, .permits = CLIENTS * LISTENERS};

	heritage.backlog = 1;
	in_hub(body, &record);
	cr_assert_eq(record.error, 0);
	cr_assert_eq(served, CLIENTS * LISTENERS, "%d served, %d reset, %d left", served,
		record.reset, record.left);
	cr_assert_eq(record.closed, LISTENERS);
}

Test(queued, a_thread_that_must_finish_lets_them_go)
{
	struct record record = {.command = THREAD_FINISH};

	in_hub(body, &record);
	cr_assert_eq(record.error, 0);
	cr_assert_eq(served, 0);
	cr_assert_eq(record.ended, CLIENTS * LISTENERS, "%d reset", record.reset);
	cr_assert_eq(record.closed, LISTENERS);
	cr_assert_eq(own->dismissed, CLIENTS * LISTENERS);
}

Test(queued, without_a_master_they_have_a_second)
{
	struct record record = {.command = THREAD_ABANDON, .permits = 1};

	in_hub(body, &record);
	cr_assert_eq(record.error, 0);
	cr_assert_geq(record.lasted, HUB_SECOND);
	cr_assert_geq(served, 1);
	/* One listener is somebody else's, too. */
	cr_assert_eq(served + record.reset + record.left, CLIENTS * LISTENERS);
	cr_assert_eq(own->dismissed, 0);
}

Test(queued, what_a_service_manager_keeps_is_neither_waited_for_nor_let_go)
{
	struct record record = {.command = THREAD_COMMAND_MAX, .permits = CLIENTS};

	kept[1] = true;
	in_hub(body, &record);
	cr_assert_eq(record.error, 0);
	cr_assert_eq(served + record.left, CLIENTS * LISTENERS);
	cr_assert_geq(record.left, 1);
	cr_assert_eq(own->dismissed, 0);
	cr_assert_eq(record.closed, LISTENERS);
}

/* To a socket that a service manager keeps others go on to connect. */
Test(queued, of_a_kept_queue_no_more_are_served_than_it_is_long)
{
	struct record record = {.command = THREAD_COMMAND_MAX, .permits = CLIENTS * LISTENERS};

	kept[1] = true;
	heritage.backlog = 1;
	in_hub(body, &record);
	cr_assert_eq(record.error, 0);
	cr_assert_eq(served, CLIENTS + 2);
	cr_assert_eq(record.left, CLIENTS - 2);
}

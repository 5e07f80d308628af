/* The acceptor of a thread, on a hub of the test's. */
#include "worker/acceptor.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "worker/counters.h"
#include "worker/thread.h"

static struct counters *counters;
static struct worker_row *row;
static struct worker_thread thread;
static struct sockaddr_in address;
static int file, listener, served;

static void
serve(int client, void *context)
{
	char byte;

	(void)context;
	served++;
	hub_recv(client, &byte, 1, 0);
}

static struct worker_heritage heritage = {
	.serve = serve, .threads = 1, .addresses = 1, .backlog = 16, .sockets = &listener};

static void
begin(void)
{
	socklen_t length = sizeof address;

	address = (struct sockaddr_in){.sin_family = AF_INET};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(listener, 16), 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	counters = counters_new(&file);
	heritage.counters = counters;
	heritage.rows = row = counters_claim(counters, 0, 1, 1);
	cr_assert_eq(thread_init(&thread, &heritage, 0, NULL), 0);
	thread.siblings = &thread;
	thread.sibling_count = 1;
}

static void
end(void)
{
	thread_fini(&thread);
	counters_free(&counters);
	close(file);
}

TestSuite(acceptor, .init = begin, .fini = end, .timeout = 60);

static int
connect_client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	connect(fd, (struct sockaddr *)&address, sizeof address);
	return fd;
}

/* Lets the hub do all that it can do now. */
static void
settle(void)
{
	hub_sleep(20 * HUB_MILLISECOND);
}

struct record {
	uint64_t accepted[4];
	bool is_waiting;
	int64_t permits;
};

static void *
permits_body(void *argument)
{
	struct record *record = argument;
	struct acceptor *acceptor = &thread.acceptors[0];
	int clients[] = {connect_client(), connect_client()};

	acceptor_start(acceptor);
	settle();
	record->accepted[0] = row->accepted;
	record->is_waiting = thread.is_out_of_permits;
	counters_give_permits(row, 1);
	settle();
	record->accepted[1] = row->accepted;
	acceptor_retry(&thread);
	settle();
	record->accepted[2] = row->accepted;
	/* Its permit is the next one's. */
	close(clients[0]);
	settle();
	record->accepted[3] = row->accepted;
	close(clients[1]);
	acceptor_pause(acceptor);
	hub_pool_join(&thread.pool);
	record->permits = row->permits;
	return NULL;
}

Test(acceptor, one_permit_one_connection)
{
	struct record record = {.is_waiting = false};

	in_hub(permits_body, &record);
	cr_assert(record.is_waiting);
	cr_assert_eq(record.accepted[0], 0);
	cr_assert_eq(record.accepted[1], 0, "nobody has said that there is a permit");
	cr_assert_eq(record.accepted[2], 1);
	cr_assert_eq(record.accepted[3], 2);
	cr_assert_eq(row->opened, 2);
	cr_assert_eq(row->closed, 2);
	cr_assert_eq(record.permits, 1);
	cr_assert_eq(served, 2);
}

static void *
queue_body(void *argument)
{
	struct record *record = argument;
	struct acceptor *acceptor = &thread.acceptors[0];
	int clients[3];

	counters_give_permits(row, 10);
	acceptor_start(acceptor);
	acceptor_pause(acceptor);
	for (int i = 0; i < 3; i++)
		clients[i] = connect_client();
	settle();
	record->accepted[0] = row->accepted;
	acceptor_empty(acceptor, HUB_FOREVER);
	record->accepted[1] = row->accepted;
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	hub_pool_join(&thread.pool);
	return NULL;
}

Test(acceptor, one_that_pauses_takes_what_is_queued_only_when_it_is_told_to)
{
	struct record record = {.is_waiting = false};

	in_hub(queue_body, &record);
	cr_assert_eq(record.accepted[0], 0);
	cr_assert_eq(record.accepted[1], 3);
	cr_assert_eq(served, 3);
	cr_assert_eq(row->permits, 10);
}

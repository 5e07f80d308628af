/* The acceptor of a thread, on a hub of the test's. */
#include "worker/acceptor.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/worker/lone.h"

static struct lone lone;
static int served;

static void
serve(int client, void *context)
{
	char byte;

	(void)context;
	served++;
	hub_recv(client, &byte, 1, 0);
}

static void
begin(void)
{
	lone_begin(&lone, serve);
}

static void
end(void)
{
	lone_end(&lone);
}

TestSuite(acceptor, .init = begin, .fini = end, .timeout = 60);

static int
connect_client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	connect(fd, (struct sockaddr *)&lone.address, sizeof lone.address);
	return fd;
}

/* Lets the hub do all that it can do now. */
static void
settle(void)
{
	hub_sleep(20 * HUB_MILLISECOND);
}

static void
note_accepted(const char *when)
{
	settle();
	trace_say("%s %ju", when, (uintmax_t)lone.row->accepted);
}

static void *
permits_body(void *argument)
{
	struct acceptor *acceptor = &lone.thread.acceptors[0];
	int clients[] = {connect_client(), connect_client()};

	acceptor_start(acceptor);
	note_accepted("without a permit");
	trace_say(lone.thread.is_out_of_permits ? "it waits" : "it does not wait");
	counters_give_permits(lone.row, 1);
	note_accepted("with one of which nobody said");
	acceptor_retry(&lone.thread);
	note_accepted("retried");
	/* Its permit is the next one's. */
	close(clients[0]);
	note_accepted("one closed");
	close(clients[1]);
	acceptor_pause(acceptor);
	hub_pool_join(&lone.thread.pool);
	trace_say("%jd left", (intmax_t)lone.row->permits);
	return argument;
}

Test(acceptor, one_permit_one_connection)
{
	in_hub(permits_body, NULL);
	EXPECT_TRACE("without a permit 0, it waits, with one of which nobody said 0, retried 1, "
		     "one closed 2, 1 left");
	cr_assert_eq(lone.row->opened, 2);
	cr_assert_eq(lone.row->closed, 2);
	cr_assert_eq(served, 2);
}

static void
note_starved(const char *when, unsigned pulses)
{
	uint64_t before = lone.row->accept_limited;

	for (unsigned i = 0; i < pulses; i++)
		acceptor_count_starved(&lone.thread);
	trace_say("%s %ju", when, (uintmax_t)(lone.row->accept_limited - before));
}

static void *
starved_body(void *argument)
{
	struct acceptor *acceptor = &lone.thread.acceptors[0];
	int client;

	lone.heritage.capacity = 7;
	lone.row->granted = 7;
	acceptor_start(acceptor);
	settle();
	note_starved("nobody waits", 5 * THREAD_PULSES);
	client = connect_client();
	settle();
	note_starved("not yet a second", THREAD_PULSES - 1);
	note_starved("a second", 1);
	note_starved("five", 5 * THREAD_PULSES);
	lone.row->granted = 6;
	/* --max-connections is the limit, not the files. */
	note_starved("another limit", 5 * THREAD_PULSES);
	close(client);
	acceptor_pause(acceptor);
	return argument;
}

Test(acceptor, who_waits_for_lack_of_files_is_counted_each_second)
{
	in_hub(starved_body, NULL);
	EXPECT_TRACE("nobody waits 0, not yet a second 0, a second 1, five 5, another limit 0");
}

static void *
queue_body(void *argument)
{
	struct acceptor *acceptor = &lone.thread.acceptors[0];
	int clients[3];

	counters_give_permits(lone.row, 10);
	acceptor_start(acceptor);
	acceptor_pause(acceptor);
	for (int i = 0; i < 3; i++)
		clients[i] = connect_client();
	note_accepted("paused");
	while (acceptor_take_queued(acceptor) == ACCEPTOR_TAKEN)
		continue;
	note_accepted("told");
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	hub_pool_join(&lone.thread.pool);
	return argument;
}

Test(acceptor, one_that_pauses_takes_what_is_queued_only_when_it_is_told_to)
{
	in_hub(queue_body, NULL);
	EXPECT_TRACE("paused 0, told 3");
	cr_assert_eq(served, 3);
	cr_assert_eq(lone.row->permits, 10);
}

static void *
serve_killed(void *argument)
{
	hub_kill(hub_current());
	acceptor_serve(&lone.thread.acceptors[0], *(int *)argument);
	return NULL;
}

static void *
killed_body(void *argument)
{
	int client = connect_client(), fd = accept(lone.listener, NULL, NULL);

	(void)argument;
	hub_join(hub_spawn(serve_killed, &fd), NULL);
	close(client);
	hub_pool_join(&lone.thread.pool);
	return NULL;
}

Test(acceptor, what_a_killed_coroutine_was_given_is_served)
{
	in_hub(killed_body, NULL);
	cr_assert_eq(served, 1);
}

Test(acceptor, senders_of_headers_are_trusted_by_their_address)
{
	struct sockaddr_storage from = {.ss_family = AF_INET};
	struct acceptor *acceptor = &lone.thread.acceptors[0];

	cr_assert(acceptor_admits(acceptor, &from), "no headers are expected");
	lone.heritage.settings.has_proxy = true;
	lone.heritage.settings.networks[0] = (struct worker_network){AF_INET, {127}, 8};
	lone.heritage.settings.network_count = 1;
	cr_assert_not(acceptor_admits(acceptor, &from));
	cr_assert_eq(lone.row->refused_sender, 1);
	cr_assert_eq(lone.row->accepted, 1);
	((struct sockaddr_in *)&from)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert(acceptor_admits(acceptor, &from));
	acceptor->is_unix = true;
	from.ss_family = AF_UNIX;
	cr_assert(acceptor_admits(acceptor, &from), "its peers are on this machine");
	cr_assert_eq(lone.row->refused_sender, 1);
}

/* Two threads of a worker as its files tell each other of them, both on one hub. */
#include "worker/handoff.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "worker/counters.h"
#include "worker/thread.h"

#define PERMITS 10

static struct counters *counters;
static struct worker_row *rows;
static struct worker_thread threads[2];
static int file, sockets[2], served;

static void
serve(int client, void *context)
{
	char byte;

	(void)context;
	hub_recv(client, &byte, 1, 0);
	served++;
}

static struct worker_heritage heritage = {
	.serve = serve, .threads = 2, .addresses = 1, .sockets = sockets};

static int
listen_somewhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(fd, 16), 0);
	return fd;
}

static void
begin(void)
{
	counters = counters_new(&file);
	heritage.counters = counters;
	heritage.rows = rows = counters_claim(counters, 0, 1, 2);
	for (unsigned i = 0; i < 2; i++) {
		sockets[i] = listen_somewhere();
		cr_assert_eq(thread_init(&threads[i], &heritage, i, NULL), 0);
		threads[i].siblings = threads;
		threads[i].sibling_count = 2;
		threads[i].is_welcoming = true;
		rows[i].permits = PERMITS;
	}
}

static void
end(void)
{
	for (unsigned i = 0; i < 2; i++)
		thread_fini(&threads[i]);
	counters_free(&counters);
	close(file);
}

TestSuite(handoff, .init = begin, .fini = end, .timeout = 60);

/* Serves what was given until so many have been served. */
static void
serve_given(int count)
{
	struct hub_coroutine *servers[2];

	for (unsigned i = 0; i < 2; i++)
		servers[i] = hub_spawn(handoff_run, &threads[i]);
	while (served < count && hub_sleep(HUB_MILLISECOND) == 0)
		continue;
	for (unsigned i = 0; i < 2; i++) {
		hub_pool_join(&threads[i].pool);
		hub_kill(servers[i]);
		hub_join(servers[i], NULL);
	}
}

static void
join_hub(void)
{
	for (unsigned i = 0; i < 2; i++) {
		threads[i].mailbox = hub_mailbox();
		rows[i].heartbeat = hub_now();
	}
}

/* ---- offering ---- */

struct offer {
	uint64_t own;   /* connections that are open here */
	uint64_t other; /* and there */
	int64_t permits;
	uint64_t lag;
	int64_t silent; /* for so long there was no heartbeat */
	bool is_welcoming;
	bool is_taken;
};

/* Returns offer.is_taken as it turns out. */
static void *
offer_body(void *argument)
{
	struct offer *offer = argument;
	int ends[2];

	join_hub();
	rows[0].opened = offer->own;
	rows[1].opened = offer->other;
	rows[1].permits = offer->permits;
	rows[1].lag = offer->lag;
	rows[1].heartbeat = hub_now() - offer->silent;
	threads[1].is_welcoming = offer->is_welcoming;
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	close(ends[1]);
	offer->is_taken = handoff_offer(&threads[0], ends[0], 0);
	if (offer->is_taken)
		serve_given(1);
	else
		close(ends[0]);
	return NULL;
}

static bool
is_taken(struct offer offer)
{
	in_hub(offer_body, &offer);
	return offer.is_taken;
}

Test(handoff, a_sibling_takes_one_for_four_more_and_an_eighth)
{
	struct offer offer = {.permits = PERMITS, .is_welcoming = true};

	offer.own = 3;
	cr_assert_not(is_taken(offer));
	offer.own = 21;
	offer.other = 16;
	cr_assert_not(is_taken(offer));
	offer.own = 22;
	cr_assert(is_taken(offer));
}

Test(handoff, one_that_moves_takes_a_permit_of_the_sibling_and_gives_one_back)
{
	cr_assert(is_taken((struct offer){.own = 9, .permits = PERMITS, .is_welcoming = true}));
	cr_assert_eq(served, 1);
	cr_assert_eq(rows[0].handed, 1);
	cr_assert_eq(rows[0].permits, PERMITS + 1, "the one of the accept is free again");
	cr_assert_eq(rows[1].opened, 1);
	cr_assert_eq(rows[1].closed, 1);
	cr_assert_eq(rows[1].permits, PERMITS, "taken, and given back at its end");
}

Test(handoff, only_a_sibling_that_is_well_and_may_is_asked)
{
	const struct offer fine = {.own = 9, .permits = PERMITS, .is_welcoming = true};
	struct offer offer = fine;

	offer.is_welcoming = false;
	cr_assert_not(is_taken(offer), "it accepts no more");
	offer = fine;
	offer.permits = 0;
	cr_assert_not(is_taken(offer), "it has no permit");
	offer = fine;
	offer.lag = 21 * HUB_MILLISECOND;
	cr_assert_not(is_taken(offer), "it is busy");
	offer = fine;
	offer.silent = 400 * HUB_MILLISECOND;
	cr_assert_not(is_taken(offer), "it is stuck");
	cr_assert_eq(rows[0].handed, 0);
	cr_assert_eq(rows[0].permits, PERMITS);
	cr_assert(is_taken(fine));
}

/* ---- adopting ---- */

struct adoption {
	int listener;
	int left; /* permits afterwards */
};

static void *
adopt_body(void *argument)
{
	struct adoption *adoption = argument;

	join_hub();
	rows[0].permits = 1;
	rows[1].permits = 1;
	handoff_adopt(&threads[0], adoption->listener, 0);
	adoption->left = (int)(rows[0].permits + rows[1].permits);
	serve_given(2);
	return NULL;
}

Test(handoff, a_queue_is_taken_as_far_as_there_are_permits)
{
	struct adoption adoption = {.listener = listen_somewhere()};
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int clients[3];

	getsockname(adoption.listener, (struct sockaddr *)&address, &length);
	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(connect(clients[i], (struct sockaddr *)&address, length), 0);
		shutdown(clients[i], SHUT_WR);
	}
	/* Closed by handoff_adopt: it is counted here, and not missed there. */
	hub_run(adopt_body, &adoption, NULL);
	cr_assert_eq(adoption.left, 0);
	cr_assert_eq(served, 2);
	cr_assert_eq(rows[0].accepted, 2, "the leader has accepted them");
	cr_assert_eq(rows[0].handed, 1, "one of them is its own");
	for (int i = 0; i < 3; i++)
		close(clients[i]);
}

/* Two threads of a worker as its files tell each other of them, both on one hub. */
#include "worker/handoff.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "worker/acceptor.h"
#include "worker/counters.h"
#include "worker/thread.h"

#define PERMITS 10

static struct counters *counters;
static struct worker_row *rows, *own, *sibling; /* rows are those of both */
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
	own = &rows[0];
	sibling = &rows[1];
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
	bool is_out_of_permits;
	bool is_taken;
};

/* Returns offer.is_taken as it turns out. */
static void *
offer_body(void *argument)
{
	struct offer *offer = argument;
	int ends[2];

	join_hub();
	own->opened = offer->own;
	sibling->opened = offer->other;
	sibling->permits = offer->permits;
	sibling->lag = offer->lag;
	sibling->heartbeat = hub_now() - offer->silent;
	threads[1].is_welcoming = offer->is_welcoming;
	threads[1].is_out_of_permits = offer->is_out_of_permits;
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

#define BURST 40

static void *
burst_body(void *argument)
{
	int *taken = argument;

	join_hub();
	own->opened = 30;
	sibling->permits = BURST;
	threads[1].is_welcoming = true;
	for (int i = 0; i < BURST; i++) {
		int ends[2];

		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
		close(ends[1]);
		if (handoff_offer(&threads[0], ends[0], 0))
			(*taken)++;
		else
			close(ends[0]);
	}
	serve_given(*taken);
	return NULL;
}

Test(handoff, of_a_burst_a_sibling_takes_as_many_as_make_it_equal_before_it_runs_again)
{
	const struct worker_thread *takes = &threads[1];
	int taken = 0;

	in_hub(burst_body, &taken);
	cr_assert_eq(taken, 24, "the one after it would make 30 here and 24 + 4 + 3 there");
	cr_assert_eq(takes->coming, 0);
}

Test(handoff, one_that_moves_takes_a_permit_of_the_sibling_and_gives_one_back)
{
	cr_assert(is_taken((struct offer){.own = 9, .permits = PERMITS, .is_welcoming = true}));
	cr_assert_eq(served, 1);
	cr_assert_eq(own->handed, 1);
	cr_assert_eq(own->permits, PERMITS + 1, "the one of the accept is free again");
	cr_assert_eq(sibling->opened, 1);
	cr_assert_eq(sibling->closed, 1);
	cr_assert_eq(sibling->permits, PERMITS, "taken, and given back at its end");
}

static void *
wake_body(void *argument)
{
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
	struct sockaddr_in address;
	socklen_t length = sizeof address;

	join_hub();
	own->permits = 0;
	own->opened = 9;
	acceptor_start(&threads[0].acceptors[0]);
	getsockname(sockets[0], (struct sockaddr *)&address, &length);
	connect(client, (struct sockaddr *)&address, length);
	for (int tries = 0; tries < 10000 && !threads[0].is_out_of_permits; tries++)
		hub_sleep(HUB_MILLISECOND);
	*(bool *)argument = threads[0].is_out_of_permits;
	/* As another acceptor of the hub's does, with the last permit. */
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	close(ends[1]);
	handoff_offer(&threads[0], ends[0], 0);
	close(client);
	/* There is no pulse. */
	serve_given(2);
	acceptor_pause(&threads[0].acceptors[0]);
	return NULL;
}

Test(handoff, the_permit_that_one_gives_back_is_at_once_another_acceptors)
{
	bool has_waited = false;

	in_hub(wake_body, &has_waited);
	cr_assert(has_waited);
	cr_assert_geq(own->handed, 1);
	cr_assert_eq(served, 2);
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
	offer = fine;
	offer.is_out_of_permits = true;
	cr_assert_not(is_taken(offer), "clients of its own wait for its permits");
	cr_assert_eq(own->handed, 0);
	cr_assert_eq(own->permits, PERMITS);
	cr_assert(is_taken(fine));
}

/* ---- adopting ---- */

struct adoption {
	int listener;
	unsigned most;
	int64_t permits;
	uint64_t lag;   /* of both */
	int64_t silent; /* both gave no sign of life for so long */
	unsigned accepted, handed, refused;
	int64_t left; /* permits afterwards */
};

static void *
adopt_body(void *argument)
{
	struct adoption *adoption = argument;

	join_hub();
	for (unsigned i = 0; i < 2; i++) {
		rows[i].permits = adoption->permits;
		rows[i].lag = adoption->lag;
		rows[i].heartbeat -= adoption->silent;
	}
	handoff_adopt(&threads[0], adoption->listener, 0, adoption->most);
	adoption->left = own->permits + sibling->permits;
	adoption->accepted = (unsigned)own->accepted;
	adoption->handed = (unsigned)own->handed;
	adoption->refused = (unsigned)own->refused_sender;
	serve_given((int)(adoption->accepted - adoption->refused));
	return NULL;
}

/* Three clients wait there. */
static void
adopt(struct adoption *adoption)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int clients[3];

	adoption->listener = listen_somewhere();
	getsockname(adoption->listener, (struct sockaddr *)&address, &length);
	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(connect(clients[i], (struct sockaddr *)&address, length), 0);
		shutdown(clients[i], SHUT_WR);
	}
	/* Closed by handoff_adopt: it is counted here, and not missed there. */
	hub_run(adopt_body, adoption, NULL);
	cr_assert_eq((unsigned)served, adoption->accepted - adoption->refused);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
}

Test(handoff, strangers_in_a_queue_of_proxies_are_not_served)
{
	struct adoption adoption = {.most = 100, .permits = 1};

	heritage.settings.has_proxy = true;
	adopt(&adoption);
	heritage.settings.has_proxy = false;
	cr_assert_eq(adoption.left, 2, "their permits are free again");
	cr_assert_eq(adoption.refused, 3);
	cr_assert_eq(adoption.accepted, 3);
	cr_assert_eq(served, 0);
}

Test(handoff, a_queue_is_taken_as_far_as_there_are_permits)
{
	struct adoption adoption = {.most = 100, .permits = 1};

	adopt(&adoption);
	cr_assert_eq(adoption.left, 0);
	cr_assert_eq(adoption.accepted, 2, "by the leader");
	cr_assert_eq(adoption.handed, 1, "one of them is its own");
}

Test(handoff, of_a_queue_no_more_are_taken_than_the_master_says)
{
	struct adoption adoption = {.most = 1, .permits = PERMITS};

	adopt(&adoption);
	cr_assert_eq(adoption.accepted, 1);
	cr_assert_eq(adoption.left, 2 * PERMITS - 1);
}

Test(handoff, busy_hubs_adopt_too_since_nobody_else_may_have_permits)
{
	struct adoption adoption = {.most = 100, .permits = 1, .lag = HUB_SECOND};

	adopt(&adoption);
	cr_assert_eq(adoption.accepted, 2);
}

Test(handoff, what_a_queue_has_is_not_given_to_a_sibling_that_is_stuck)
{
	struct adoption adoption = {.most = 100, .permits = PERMITS, .silent = HUB_SECOND};

	adopt(&adoption);
	cr_assert_eq(adoption.accepted, 3);
	cr_assert_eq(adoption.handed, 0);
}

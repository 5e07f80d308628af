#include "worker/tally.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/worker/shared.h"
#include "worker/counters.h"

#define PEER UINT64_C(0xffffffff7f000001)
#define NOW 1000

static struct tally *tally;
static int file;
static const struct tally_limits three = {.open = 3}, none;
static struct tally_cell *last; /* of the last connection */

/* A worker of one hub, which has begun. */
static struct worker_row *
worker(uint32_t index)
{
	struct worker_row *row = counters_claim(counters, index, 1, 1);

	tally_renew(tally, counters, row, 1);
	row->heartbeat = 1;
	return row;
}

static void
begin(void)
{
	shared_begin();
	tally = tally_new(&file);
	cr_assert_not_null(tally);
}

static void
end(void)
{
	tally_free(&tally);
	cr_assert_null(tally);
	tally_free(&tally);
	close(file);
	shared_end();
}

TestSuite(tally, .init = begin, .fini = end, .timeout = 120);

static enum tally_verdict
enter(const struct worker_row *row, struct tally_limits limits)
{
	return tally_enter(tally, counters, row, PEER, limits, NOW, &last);
}

static uint64_t
peer_of(int family, const char *text)
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
	void *to = family == AF_INET ? (void *)&((struct sockaddr_in *)&address)->sin_addr
				     : (void *)&((struct sockaddr_in6 *)&address)->sin6_addr;
	uint64_t peer;

	cr_assert_eq(inet_pton(family, text, to), 1);
	cr_assert(tally_peer(&address, &peer));
	return peer;
}

Test(tally, a_peer_is_an_address_of_ipv4_or_a_network_of_ipv6)
{
	struct sockaddr_storage local = {.ss_family = AF_UNIX}, unknown = {.ss_family = AF_UNSPEC};
	uint64_t peer;

	cr_assert_neq(peer_of(AF_INET, "192.0.2.1"), peer_of(AF_INET, "192.0.2.2"));
	cr_assert_eq(peer_of(AF_INET, "192.0.2.1"), peer_of(AF_INET6, "::ffff:192.0.2.1"));
	cr_assert_eq(peer_of(AF_INET6, "2001:db8::1"), peer_of(AF_INET6, "2001:db8::9:8:7:6"));
	cr_assert_neq(peer_of(AF_INET6, "2001:db8::1"), peer_of(AF_INET6, "2001:db8:0:1::1"));
	cr_assert_neq(peer_of(AF_INET6, "::1"), peer_of(AF_INET, "0.0.0.1"));
	cr_assert_not(tally_peer(&local, &peer));
	cr_assert_not(tally_peer(&unknown, &peer));
}

Test(tally, the_limit_is_one_of_all_hubs)
{
	const struct worker_row *one = worker(0), *other = worker(1);
	struct tally_cell *first;

	cr_assert_eq(enter(one, three), TALLY_COUNTED);
	first = last;
	cr_assert_eq(enter(other, three), TALLY_COUNTED);
	cr_assert_neq(last, first, "a cell has one writer");
	cr_assert_eq(enter(other, three), TALLY_COUNTED);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(enter(one, three), TALLY_TOO_MANY);
		cr_assert_null(last);
		cr_assert_eq(enter(other, three), TALLY_TOO_MANY);
	}
	tally_leave(first);
	cr_assert_eq(enter(other, three), TALLY_COUNTED, "refused ones are not counted");
	cr_assert_eq(enter(one, three), TALLY_TOO_MANY);
	cr_assert_eq(tally_enter(tally, counters, one, PEER + 1, three, NOW, &last), TALLY_COUNTED,
		"another peer");
	cr_assert_eq(enter(one, none), TALLY_COUNTED);
	tally_leave(NULL);
}

Test(tally, what_a_dead_process_had_is_given_back)
{
	struct worker_row *one = worker(0), *other = worker(1), *again;

	for (int i = 0; i < 3; i++)
		cr_assert_eq(enter(one, three), TALLY_COUNTED);
	cr_assert_eq(enter(other, three), TALLY_TOO_MANY);
	counters_bury(counters, one, 1);
	cr_assert_eq(enter(other, three), TALLY_COUNTED);
	counters_fold(counters, one, 1);
	/* Its row is the ledger now; that of the next process is used again. */
	again = worker(0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(enter(again, three), TALLY_COUNTED);
	cr_assert_eq(enter(other, three), TALLY_TOO_MANY);
	counters_fold(counters, again, 1);
	one = counters_claim(counters, 0, 2, 1);
	cr_assert_eq(one, again, "the same row");
	/* The row is claimed, and its process does not run yet. */
	cr_assert_eq(enter(other, three), TALLY_COUNTED);
	tally_renew(tally, counters, one, 1);
	one->heartbeat = 1;
	cr_assert_eq(enter(one, three), TALLY_COUNTED);
	cr_assert_eq(enter(one, three), TALLY_TOO_MANY);
}

Test(tally, a_second_is_that_of_the_clock)
{
	const struct tally_limits two = {.fresh = 2};
	const struct worker_row *one = worker(0), *other = worker(1);

	for (uint32_t second = NOW; second < NOW + 3; second++) {
		cr_assert_eq(
			tally_enter(tally, counters, one, PEER, two, second, &last), TALLY_COUNTED);
		/* Its end makes it no older. */
		tally_leave(last);
		cr_assert_eq(tally_enter(tally, counters, other, PEER, two, second, &last),
			TALLY_COUNTED);
		for (int i = 0; i < 3; i++)
			cr_assert_eq(tally_enter(tally, counters, one, PEER, two, second, &last),
				TALLY_TOO_FAST);
		cr_assert_eq(tally_enter(tally, counters, one, PEER + 1, two, second, &last),
			TALLY_COUNTED);
		tally_leave(last);
	}
}

Test(tally, a_refused_connection_is_no_new_one)
{
	const struct tally_limits limits = {.open = 1, .fresh = 2};
	const struct worker_row *row = worker(0);
	struct tally_cell *first;

	cr_assert_eq(enter(row, limits), TALLY_COUNTED);
	first = last;
	for (int i = 0; i < 3; i++)
		cr_assert_eq(enter(row, limits), TALLY_TOO_MANY);
	tally_leave(first);
	cr_assert_eq(enter(row, limits), TALLY_COUNTED);
	tally_leave(last);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(enter(row, limits), TALLY_TOO_FAST);
}

/* Enters so many peers of one bucket. Returns how many were counted. */
static unsigned
enter_many(const struct worker_row *row, unsigned count, uint32_t second, bool stay)
{
	unsigned counted = 0;

	for (uint64_t peer = PEER + 1; count > 0; peer++) {
		if (tally_bucket(tally, peer) != tally_bucket(tally, PEER))
			continue;
		count--;
		counted += tally_enter(tally, counters, row, peer, three, second, &last) ==
			   TALLY_COUNTED;
		if (!stay)
			tally_leave(last);
	}
	return counted;
}

Test(tally, a_full_bucket_counts_nobody_else_and_is_free_again_later)
{
	struct worker_row *one = worker(0), *other = worker(1);

	/* Those that have come in this second keep their cells, though they have gone. */
	cr_assert_eq(enter_many(one, TALLY_CELLS + 3, NOW, false), TALLY_CELLS);
	cr_assert_eq(enter(other, three), TALLY_FULL);
	cr_assert_null(last);
	cr_assert_eq(enter_many(one, TALLY_CELLS, NOW + 1, true), TALLY_CELLS);
	cr_assert_eq(tally_enter(tally, counters, other, PEER, three, NOW + 2, &last), TALLY_FULL);
	counters_bury(counters, one, 1);
	cr_assert_eq(enter(other, three), TALLY_COUNTED, "its holder is dead");
}

Test(tally, a_cell_that_names_a_row_which_was_never_claimed_is_free)
{
	const struct tally_limits one = {.open = 1};
	struct worker_row *row = worker(0);

	tally->buckets[tally_bucket(tally, PEER)][0] = (struct tally_cell){
		.peer = PEER, .holder = (uint64_t)(COUNTERS_ROWS - 1) << 48 | 1};
	cr_assert_eq(enter(row, one), TALLY_COUNTED);
	cr_assert_eq(enter(row, one), TALLY_TOO_MANY);
}

Test(tally, peers_that_follow_each_other_have_different_buckets)
{
	unsigned same = 0;

	for (uint64_t peer = PEER; peer < PEER + 1000; peer++)
		same += tally_bucket(tally, peer) == tally_bucket(tally, peer + 1);
	cr_assert_lt(same, 10);
}

Test(tally, another_master_maps_it_if_it_is_of_the_same_version)
{
	const struct worker_row *row = worker(0);
	struct tally *again = tally_map(file), *own = tally;

	cr_assert_not_null(again);
	cr_assert_eq(enter(row, three), TALLY_COUNTED);
	tally = again;
	cr_assert_eq(enter(row, three), TALLY_COUNTED);
	cr_assert_eq(enter(row, three), TALLY_COUNTED);
	cr_assert_eq(enter(row, three), TALLY_TOO_MANY);
	tally = own;
	tally->version++;
	tally_free(&again);
	cr_assert_null(tally_map(file));
	cr_assert_eq(errno, EPROTO);
	cr_assert_null(tally_map(shared_file), "the counters");
}

/* ---- hubs at once ---- */

#define HUBS 4
#define ROUNDS 20000

static unsigned open_now, most;

static void
leave(struct tally_cell **cell)
{
	__atomic_sub_fetch(&open_now, 1, __ATOMIC_SEQ_CST);
	tally_leave(*cell);
	*cell = NULL;
}

/* A hub's thread: connections of one peer come and go. Remembers the most that were open. */
static void *
come_and_go(void *argument)
{
	const struct worker_row *row = argument;
	struct tally_cell *mine[] = {NULL, NULL};

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct tally_cell **cell = &mine[i % 2];
		unsigned now;

		if (*cell != NULL) {
			leave(cell);
			continue;
		}
		if (tally_enter(tally, counters, row, PEER, three, NOW + i / 100, cell) !=
			TALLY_COUNTED)
			continue;
		now = __atomic_add_fetch(&open_now, 1, __ATOMIC_SEQ_CST);
		for (unsigned seen = __atomic_load_n(&most, __ATOMIC_RELAXED); seen < now;)
			if (__atomic_compare_exchange_n(
				    &most, &seen, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
				break;
	}
	for (int i = 0; i < 2; i++)
		if (mine[i] != NULL)
			leave(&mine[i]);
	return NULL;
}

Test(tally, no_number_of_hubs_exceeds_the_limit)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, HUBS);
	pthread_t threads[HUBS];

	tally_renew(tally, counters, rows, HUBS);
	for (int i = 0; i < HUBS; i++) {
		rows[i].heartbeat = 1;
		cr_assert_eq(pthread_create(&threads[i], NULL, come_and_go, &rows[i]), 0);
	}
	for (int i = 0; i < HUBS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_leq(most, 3);
	cr_assert_geq(most, 2);
	/* Nothing is left behind. */
	for (int i = 0; i < 3; i++)
		cr_assert_eq(enter(rows, three), TALLY_COUNTED);
	cr_assert_eq(enter(rows, three), TALLY_TOO_MANY);
}

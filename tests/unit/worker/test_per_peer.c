#include "worker/per_peer.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/worker/lone.h"
#include "worker/listened.h"
#include "worker/tally.h"

static struct lone lone;
static struct tally *tally;
static struct listened listened;
static int file;

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static void
begin(void)
{
	lone_begin(&lone, serve);
	tally = tally_new(&file);
	cr_assert_not_null(tally);
	tally_renew(tally, lone.counters, lone.row, 1);
	lone.heritage.tally = tally;
	lone.heritage.settings.per_peer.open = 2;
}

static void
end(void)
{
	lone_end(&lone);
	tally_free(&tally);
	close(file);
}

TestSuite(per_peer, .init = begin, .fini = end);

/* Two ends of a connection with the listener. */
static void
connect_pair(int ends[2])
{
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(ends[0], (struct sockaddr *)&lone.address, sizeof lone.address), 0);
	do
		ends[1] = accept(lone.listener, NULL, NULL);
	while (ends[1] == -1);
}

static void
close_pair(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

Test(per_peer, without_a_limit_nothing_is_counted)
{
	struct worker_settings settings = {.per_peer = {0, 0}};

	cr_assert_not(per_peer_is_limited(&settings));
	settings.per_peer.open = 1;
	cr_assert(per_peer_is_limited(&settings));
	settings.per_peer = (struct tally_limits){.fresh = 1};
	cr_assert(per_peer_is_limited(&settings));
}

Test(per_peer, the_kernels_address_counts_or_the_one_that_a_proxy_names)
{
	struct sockaddr_storage named = {.ss_family = AF_INET}, own = {.ss_family = AF_UNSPEC};
	struct tally_cell *first, *cell;
	int ends[2];

	connect_pair(ends);
	cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], NULL, &first));
	cr_assert_not_null(first);
	cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], NULL, &cell));
	cr_assert_not(per_peer_enter(&lone.thread, &listened, ends[1], NULL, &cell));
	cr_assert_null(cell);
	cr_assert_eq(lone.row->refused_peer, 1);
	((struct sockaddr_in *)&named)->sin_addr.s_addr = htonl(0xc0000201);
	cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], &named, &cell));
	cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], &named, &cell));
	cr_assert_not(per_peer_enter(&lone.thread, &listened, ends[1], &named, &cell));
	cr_assert_eq(lone.row->refused_peer, 2);
	/* The proxy's own connections are not its clients'. */
	cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], &own, &cell));
	cr_assert_null(cell);
	tally_leave(first);
	cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], NULL, &cell));
	cr_assert_eq(lone.row->refused_peer, 2);
	close_pair(ends);
}

Test(per_peer, unix_sockets_and_connections_that_have_ended_are_not_counted)
{
	struct tally_cell *cell;
	int ends[2], pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	connect_pair(ends);
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(ends[0]);
	for (int i = 0; i < 4; i++) {
		cr_assert(per_peer_enter(&lone.thread, &listened, pair[0], NULL, &cell));
		cr_assert_null(cell);
		cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], NULL, &cell));
		cr_assert_null(cell);
	}
	close(ends[1]);
	close(pair[0]);
	close(pair[1]);
}

/* All cells of the peer's bucket have other peers. */
Test(per_peer, with_a_full_table_peers_are_served_and_that_is_counted)
{
	struct tally_limits none = {0, 0};
	struct tally_cell *cell;
	uint64_t own = UINT64_C(0xffffffff00000000) | INADDR_LOOPBACK, peer = 0;
	int ends[2];

	for (unsigned count = 0; count < TALLY_CELLS; peer++)
		if (tally_bucket(tally, peer) == tally_bucket(tally, own) && peer != own)
			count += tally_enter(tally, lone.counters, lone.row, peer, none, 1,
					 &cell) == TALLY_COUNTED;
	connect_pair(ends);
	for (int i = 0; i < 4; i++) {
		cr_assert(per_peer_enter(&lone.thread, &listened, ends[1], NULL, &cell));
		cr_assert_null(cell);
	}
	cr_assert_eq(lone.row->uncounted, 4);
	cr_assert_eq(lone.row->refused_peer, 0);
	close_pair(ends);
}

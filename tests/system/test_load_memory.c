/* How much memory connections cost a worker, and that the worker gives it back. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/family.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"

/* Bytes that a worker writes for a connection with one answer, page tables included. */
#define COST_MOST 4900.
/* What a worker may keep after its connections have left: a share of its memory before, or
 * bytes. */
#define SHARE_LEFT 0.1
#define BYTES_LEFT 2e6

static struct server server;
static struct loader loader;

static void
clean(void)
{
	loader_clean(&loader);
	server_clean(&server);
}

TestSuite(load_memory, .fini = clean, .timeout = 600);

static void
skip_where_memory_is_not_ours(void)
{
	if (program_is_sanitized())
		cr_skip_test("a sanitizer needs memory of its own");
}

/* ---- one after the other ---- */

#define CROWD 10000

static double
written(void)
{
	struct family family;

	family_find(&family, server.pid);
	return family_memory(&family, "Private_Dirty") + family_memory(&family, "VmPTE");
}

static bool
nobody_is_left(void *unused)
{
	(void)unused;
	return server_number(&server, "connections") == 0;
}

/* Opens a crowd of connections, exchanges a message on each, and closes them. Returns the bytes for
 * each. */
static double
crowd_cost(double before)
{
	static int clients[CROWD];
	double cost;

	for (int i = 0; i < CROWD; i++) {
		clients[i] = client_connect(server.program.port);
		cr_assert(client_exchange(clients[i], "hello", "HELLO"), "client %d", i);
	}
	cost = (written() - before) / CROWD;
	for (int i = 0; i < CROWD; i++)
		close(clients[i]);
	cr_assert(wait_until(nobody_is_left, NULL, 30));
	return cost;
}

Test(load_memory, a_later_crowd_costs_what_the_first_did)
{
	double before;

	skip_where_memory_is_not_ours();
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	before = written();
	for (int i = 0; i < 2; i++) {
		double cost = crowd_cost(before);

		cr_assert_leq(cost, COST_MOST, "crowd %d: %.0f bytes for each", i + 1, cost);
	}
}

/* ---- all at once ---- */

static double
worker_memory(const struct family *family, int worker)
{
	struct family one = {.pids = {family->pids[worker]}, .count = 1};

	return family_memory(&one, "VmRSS") + family_memory(&one, "VmPTE");
}

struct watch {
	struct family family;
	double before[FAMILY_MAX];
	double more; /* bytes of the worker that has grown most */
};

static bool
is_as_before(void *context)
{
	struct watch *watch = context;
	bool is_so = true;

	watch->more = 0;
	for (int i = 1; i < watch->family.count; i++) {
		double before = watch->before[i];
		double more = worker_memory(&watch->family, i) - before;

		if (more > watch->more)
			watch->more = more;
		is_so = is_so && (more <= BYTES_LEFT || more <= SHARE_LEFT * before);
	}
	return is_so;
}

/* With HUBBUB_MINUTE in the environment, waits for as long as the server really keeps memory. */
Test(load_memory, a_hundred_thousand_that_have_left_are_forgotten)
{
	static struct watch watch;
	struct rlimit files;
	char processes[32];

	skip_where_memory_is_not_ours();
	if (getenv("HUBBUB_MINUTE") == NULL)
		setenv("HUBBUB_TRIM", "5000", 1);
	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(processes, sizeof processes, "%lu",
		100000 / ((unsigned long)files.rlim_max - 500) + 1);
	cr_assert(server_start(&server, "hubbub-echo", processes, "1", NULL));
	family_find(&watch.family, server.pid);
	for (int i = 1; i < watch.family.count; i++)
		watch.before[i] = worker_memory(&watch.family, i);
	cr_assert_eq(loader_run(&loader, server.program.port, "-c", "10", "-R", "100", "-d", "1s",
			     "--idle=100k", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "connections.idle_opened"), 100000);
	cr_assert(wait_until(nobody_is_left, NULL, 30));
	cr_assert_not(is_as_before(&watch));
	cr_assert(wait_until(is_as_before, &watch, 60), "%.0f bytes more than before", watch.more);
}

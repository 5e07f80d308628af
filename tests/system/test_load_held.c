/* A hundred thousand connections are held through a reload and the deaths of workers. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "hub/base/clock.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"

#define HELD 100000
#define ACTIVE 10
/* The length of the load once all are open, and for how long of it workers are killed: behind its
 * end each connection is asked once, and one that dies meanwhile has not answered. */
#define LENGTH "30s"
#define KILL_WITHIN (25 * CLOCK_SECOND)

static struct server server;
static struct loader loader;

static void
clean(void)
{
	loader_clean(&loader);
	server_clean(&server);
}

TestSuite(load_held, .fini = clean, .timeout = 900);

static bool
are_all_open(void *unused)
{
	(void)unused;
	return server_number(&server, "connections") >= HELD + ACTIVE;
}

/* Whether those whose worker has died come back. */
static bool
are_dialled_anew(void *unused)
{
	(void)unused;
	return server_hub(&server, 0, 0, "connections") > 0;
}

static bool
is_replaced(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.respawns") > 0;
}

/* A fifth more workers than hold them: no balance is exact, and one of them dies. */
static void
start_server(void)
{
	struct rlimit files;
	char processes[32];

	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(processes, sizeof processes, "%lu",
		HELD * 6 / (5 * ((unsigned long)files.rlim_max - 500)) + 2);
	cr_assert(
		server_start(&server, "hubbub-echo", processes, "1", "--drain-timeout=600s", NULL));
}

/* Some connections stay with the former generation, which drains; those of its first worker die
 * with it, and then those of a worker that serves. */
Test(load_held, each_answers_at_the_end_by_its_old_connection_or_a_new_one)
{
	char output[1024];
	pid_t former;
	int64_t began;

	if (program_is_sanitized())
		cr_skip_test("a sanitizer needs too much memory for each");
	start_server();
	cr_assert(loader_start(&loader, server.program.port, "-q", "-c", "10", "-R", "100", "-d",
		LENGTH, "--warmup=0", "--idle=100k", "--roam=1", "--redial", "--timeout=60s",
		"--connect-timeout=60s", "--allow-errors", NULL));
	cr_assert(wait_until(are_all_open, NULL, 300), "%ld are open: %s",
		server_number(&server, "connections"), loader.program.text);
	began = clock_now();
	former = server_worker(&server, 0);
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 0, "%s", output);
	kill(former, SIGKILL);
	cr_assert(wait_until(are_dialled_anew, NULL, 120));
	server_signal_worker(&server, 0, SIGKILL);
	cr_assert(wait_until(is_replaced, NULL, 120));
	if (clock_now() - began > KILL_WITHIN)
		cr_skip_test("the machine is too slow: the load may have been over by then");
	loader_wait(&loader, 500);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), HELD, "%s",
		loader.program.text);
	cr_assert_gt(server_number(&server, "totals.lost"), 0);
	cr_assert_eq(loader_number(&loader, "verify.corrupt"), 0);
}

/* The promises: nothing is lost, whatever changes or breaks. Each is tested under lasting and
 * passing connections, of which every byte is checked. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/nap.h"
#include "tests/support/server.h"
#include "tests/support/witness.h"

static struct server server;
static struct witness witness;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(promises, .fini = end, .timeout = 600);

static void
start(const char *name, unsigned lasting, double rate)
{
	cr_assert(server_start(&server, name, "2", "2", NULL), "%s", server.program.text);
	witness = (struct witness){.target.port = server.program.port,
		.lasting = lasting,
		.pause = 0.05,
		.rate = rate,
		.limit = CLOCK_SECOND};
	witness_start(&witness);
}

/* ---- changes ---- */

static void
assert_nothing_lost(void)
{
	witness_stop(&witness);
	fprintf(stderr, "%s\n", witness_text(&witness));
	cr_assert_eq(witness_failures(&witness), 0, "%s", witness_text(&witness));
	cr_assert_gt(witness.result.exchanges, 2000, "%s", witness_text(&witness));
}

Test(promises, twenty_reloads_lose_nothing)
{
	start("hubbub-echo", 200, 300);
	for (int i = 0; i < 20; i++) {
		int64_t began = clock_now();
		char output[1024] = "";

		cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 0, "%s",
			output);
		nap(1 - clock_seconds(clock_now() - began));
	}
	assert_nothing_lost();
	cr_assert_eq(server_number(&server, "totals.reloads"), 20);
	cr_assert_eq(server_end(&server, 40), 0);
}

Test(promises, ten_upgrades_lose_nothing)
{
	long accepts = 0;

	start("hubbub-echo", 200, 300);
	for (int i = 0; i < 10; i++) {
		char output[1024] = "";
		pid_t before = server.pid;

		cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s",
			output);
		server.pid = (pid_t)server_number(&server, "pid");
		cr_assert_neq(server.pid, before);
		cr_assert_geq(server_number(&server, "totals.accepts"), accepts);
		accepts = server_number(&server, "totals.accepts");
		nap(1);
	}
	assert_nothing_lost();
	cr_assert_eq(server_number(&server, "totals.upgrades"), 10);
	cr_assert_eq(server_end(&server, 40), 0);
}

/* Whether the server has so many processes, none of which is changing. */
static bool
has_processes(void *count)
{
	json_t *state = server_stats(&server);
	bool is_so = json_integer_value(json_object_get(state, "processes")) == (intptr_t)count &&
		     json_is_false(json_object_get(state, "changing"));

	json_decref(state);
	return is_so;
}

Test(promises, scaling_processes_and_threads_loses_nothing)
{
	static const char *const shapes[] = {"4x1", "1x4", "2x2", "3x2", "1x2", "2x2"};

	start("hubbub-echo", 200, 300);
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		char output[1024] = "";
		unsigned processes, threads;

		cr_assert_eq(server_ctl(&server, "scale", shapes[i], output, sizeof output), 0,
			"%s", output);
		sscanf(shapes[i], "%ux%u", &processes, &threads);
		cr_assert_eq(server_number(&server, "processes"), (long)processes);
		cr_assert_eq(server_number(&server, "threads"), (long)threads);
		nap(2);
	}
	kill(server.pid, SIGTTIN);
	cr_assert(wait_until(has_processes, (void *)3, 10));
	kill(server.pid, SIGTTOU);
	cr_assert(wait_until(has_processes, (void *)2, 10));
	assert_nothing_lost();
	cr_assert_eq(server_end(&server, 40), 0);
}

/* ---- deaths ---- */

static bool
has_respawned_twenty(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.respawns") == 20;
}

Test(promises, killed_workers_take_only_what_they_had_accepted)
{
	const struct witness_result *result = &witness.result;
	unsigned seed = (unsigned)time(NULL);
	long lost;

	start("hubbub-echo", 100, 300);
	for (int i = 0; i < 20; i++) {
		nap(1);
		server_signal_worker(&server, (unsigned)rand_r(&seed) % 2, SIGKILL);
	}
	cr_assert(wait_until(has_respawned_twenty, NULL, 10));
	lost = server_number(&server, "totals.lost");
	witness_stop(&witness);
	fprintf(stderr, "%s; %ld died with their worker\n", witness_text(&witness), lost);
	cr_assert_gt(lost, 100, "the workers served nobody");
	cr_assert_eq(server_number(&server, "totals.respawns"), 20);
	cr_assert_eq(result->refused, 0, "%s", witness_text(&witness));
	cr_assert_eq(result->late, 0, "%s", witness_text(&witness));
	cr_assert_eq(result->wrong, 0, "%s", witness_text(&witness));
	cr_assert_leq(result->reset + result->unanswered + result->ended, (uint64_t)lost,
		"more than were accepted: %s, but %ld", witness_text(&witness), lost);
	cr_assert_eq(server_end(&server, 40), 0);
}

Test(promises, after_a_kill_of_all_it_accepts_again_at_once)
{
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", NULL));
	for (int i = 0; i < 5; i++) {
		pid_t workers[2] = {server_worker(&server, 0), server_worker(&server, 1)};
		int64_t began;
		int fd;

		nap(0.7);
		kill(workers[0], SIGKILL);
		kill(workers[1], SIGKILL);
		began = clock_now();
		fd = client_connect(server.program.port);
		cr_assert(client_exchange(fd, "again", "AGAIN"));
		/* The promise is a tenth of a second; a busy machine gets more. */
		cr_assert_lt(clock_now() - began, CLOCK_SECOND);
		fprintf(stderr, "served again after %.1f ms\n",
			(double)(clock_now() - began) / (double)CLOCK_MILLISECOND);
		close(fd);
	}
	cr_assert_eq(server_end(&server, 40), 0);
}

static bool
has_failed_often(void *unused)
{
	static pid_t last;
	pid_t worker = server_worker(&server, 0);

	(void)unused;
	if (worker > 0 && worker != last)
		kill(worker, SIGKILL);
	last = worker;
	return program_expect(&server.program, "worker 0 failed 5 times in a row", 0.001);
}

Test(promises, a_worker_that_keeps_dying_disturbs_nobody_else)
{
	start("hubbub-echo", 0, 200);
	cr_assert(wait_until(has_failed_often, NULL, 20), "%s", server.program.text);
	/* The worker has been away for more than a second; the other one serves what comes. */
	nap(1);
	witness_stop(&witness);
	fprintf(stderr, "%s\n", witness_text(&witness));
	cr_assert_eq(witness.result.refused + witness.result.late + witness.result.wrong, 0, "%s",
		witness_text(&witness));
	cr_assert_leq(witness.result.reset + witness.result.unanswered,
		(uint64_t)server_number(&server, "totals.lost"), "%s", witness_text(&witness));
	cr_assert_eq(server_end(&server, 40), 0);
}

/* ---- hangs ---- */

struct state {
	unsigned worker;
	unsigned hub;
	const char *key;
	long wanted;
};

static bool
is_so(void *context)
{
	const struct state *state = context;

	return server_hub(&server, state->worker, state->hub, state->key) == state->wanted;
}

/* Makes a thousand connects, one after the other. Returns how many were not served within a
 * second. */
static int
connect_a_thousand(void)
{
	int failed = 0;

	for (int i = 0; i < 1000; i++) {
		int64_t began = clock_now();
		int fd = client_connect(server.program.port);

		if (fd == -1 || !client_exchange(fd, "a\n", "A\n") ||
			clock_now() - began > CLOCK_SECOND)
			failed++;
		if (fd != -1)
			close(fd);
	}
	return failed;
}

Test(promises, a_stopped_worker_is_steered_around_and_rejoins)
{
	struct state hung = {0, 0, "hung", 1}, well = {0, 0, "hung", 0};
	pid_t worker;
	long before;
	int64_t began;

	/* However long the thousand connects take, the worker is not replaced. */
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--hang-timeout=0", NULL));
	witness = (struct witness){
		.target.port = server.program.port, .rate = 100, .limit = CLOCK_SECOND};
	witness_start(&witness);
	worker = server_worker(&server, 0);
	nap(0.5);
	began = clock_now();
	kill(worker, SIGSTOP);
	cr_assert(wait_until(is_so, &hung, 5), "not found out");
	cr_assert_lt(clock_now() - began, 2 * CLOCK_SECOND);
	cr_assert_eq(server_hub(&server, 0, 0, "weight"), 0);
	cr_assert_eq(connect_a_thousand(), 0);
	before = server_hub(&server, 0, 0, "accepts_total");
	kill(worker, SIGCONT);
	cr_assert(wait_until(is_so, &well, 5), "it does not rejoin");
	cr_assert_eq(server_worker(&server, 0), worker);
	cr_assert_eq(connect_a_thousand(), 0);
	cr_assert_gt(server_hub(&server, 0, 0, "accepts_total"), before, "it gets nothing");
	witness_stop(&witness);
	fprintf(stderr, "%s\n", witness_text(&witness));
	/* The connections that the worker had accepted before it was stopped waited for it. */
	cr_assert_eq(witness.result.refused + witness.result.reset + witness.result.wrong, 0);
	cr_assert_leq(witness.result.late, 3, "%s", witness_text(&witness));
	cr_assert_eq(server_end(&server, 40), 0);
}

static bool
is_one_hung(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.hangs") == 1;
}

Test(promises, a_hub_that_is_stuck_is_steered_around_while_its_siblings_serve)
{
	struct state well[4] = {
		{0, 0, "hung", 0}, {0, 1, "hung", 0}, {1, 0, "hung", 0}, {1, 1, "hung", 0}};
	int fd;

	cr_assert(server_start(&server, "naughty", "2", "2", NULL));
	fd = client_connect(server.program.port);
	cr_assert_eq(send(fd, "spin 4000\n", 10, 0), 10);
	cr_assert(wait_until(is_one_hung, NULL, 3), "%s", server.program.text);
	cr_assert_eq(connect_a_thousand(), 0);
	/* The worker is not killed, and recovers. */
	for (int i = 0; i < 4; i++)
		cr_assert(wait_until(is_so, &well[i], 10));
	cr_assert(client_exchange(fd, "and now\n", "done\nAND NOW\n"));
	cr_assert_eq(server_number(&server, "totals.respawns"), 0);
	close(fd);
	cr_assert_eq(server_end(&server, 40), 0);
	if (getenv("HUBBUB_WATCHDOG") == NULL)
		cr_assert_not_null(strstr(server.program.text, "has not switched for"), "%s",
			server.program.text);
	cr_assert_not_null(strstr(server.program.text, "gives no sign of life"));
}

static bool
has_replaced_one(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.respawns") == 1;
}

Test(promises, a_hub_that_stays_stuck_has_its_worker_replaced)
{
	int fd;

	cr_assert(server_start(&server, "naughty", "2", "2", "--hang-timeout=1.5", NULL));
	fd = client_connect(server.program.port);
	cr_assert_eq(send(fd, "spin 60000\n", 11, 0), 11);
	cr_assert(wait_until(has_replaced_one, NULL, 10), "%s", server.program.text);
	cr_assert_eq(connect_a_thousand(), 0);
	close(fd);
	cr_assert_eq(server_end(&server, 40), 0);
	cr_assert_not_null(
		strstr(server.program.text, "for 1.5 s; killing it"), "%s", server.program.text);
}

Test(promises, a_pause_of_everything_kills_nobody)
{
	pid_t workers[2];

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--hang-timeout=1", NULL));
	for (unsigned i = 0; i < 2; i++)
		workers[i] = server_worker(&server, i);
	/* As on a suspended machine: the master and the workers stand still. */
	kill(server.pid, SIGSTOP);
	for (unsigned i = 0; i < 2; i++)
		kill(workers[i], SIGSTOP);
	nap(3);
	kill(server.pid, SIGCONT);
	nap(0.1);
	for (unsigned i = 0; i < 2; i++)
		kill(workers[i], SIGCONT);
	nap(1);
	cr_assert_eq(server_number(&server, "totals.respawns"), 0);
	cr_assert_eq(server_worker(&server, 0), *workers);
	cr_assert_eq(connect_a_thousand(), 0);
	cr_assert_eq(server_end(&server, 40), 0);
}

static bool
has_reloaded(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.reloads") == 1;
}

Test(promises, a_pause_of_everything_in_a_reload_fails_nothing)
{
	pid_t workers[8];
	int count;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--hang-timeout=0.5", NULL));
	kill(server.pid, SIGSTOP);
	kill(server.pid, SIGHUP);
	kill(server.pid, SIGCONT);
	/* Whichever workers have started by now. */
	nap(0.003);
	kill(server.pid, SIGSTOP);
	count = program_children(server.pid, workers, 8);
	for (int i = 0; i < count; i++)
		kill(workers[i], SIGSTOP);
	nap(4);
	for (int i = 0; i < count; i++)
		kill(workers[i], SIGCONT);
	kill(server.pid, SIGCONT);
	cr_assert(wait_until(has_reloaded, NULL, 10), "%s", server.program.text);
	cr_assert_eq(connect_a_thousand(), 0);
	cr_assert_eq(server_end(&server, 40), 0);
}

/* ---- the end ---- */

Test(promises, term_serves_what_is_queued_and_finishes_what_was_begun)
{
	enum { QUEUED = 100 };
	int clients[QUEUED], slow;
	pid_t workers[2];

	cr_assert(server_start(&server, "naughty", "2", "2", "--drain-timeout=8", NULL));
	for (unsigned i = 0; i < 2; i++)
		workers[i] = server_worker(&server, i);
	slow = client_connect(server.program.port);
	cr_assert(client_exchange(slow, "hello\n", "HELLO\n"));
	cr_assert_eq(send(slow, "sleep 1500\n", 11, 0), 11);
	for (unsigned i = 0; i < 2; i++)
		kill(workers[i], SIGSTOP);
	for (int i = 0; i < QUEUED; i++) {
		clients[i] = client_connect(server.program.port);
		cr_assert_neq(clients[i], -1);
		cr_assert_eq(send(clients[i], "queued\n", 7, 0), 7);
	}
	kill(server.pid, SIGTERM);
	cr_assert(program_expect(&server.program, "stopping:", 10));
	for (unsigned i = 0; i < 2; i++)
		kill(workers[i], SIGCONT);
	for (int i = 0; i < QUEUED; i++) {
		cr_assert(client_exchange(clients[i], "", "QUEUED\n"), "client %d is lost", i);
		cr_assert(client_sees_end(clients[i]), "client %d", i);
		close(clients[i]);
	}
	cr_assert(client_exchange(slow, "", "done\n"), "what was begun is not finished");
	cr_assert(client_sees_end(slow));
	close(slow);
	cr_assert_eq(program_wait(&server.program, 20), 0, "%s", server.program.text);
}

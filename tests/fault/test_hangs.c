/* The promises about hubs that hang: what is stuck or stopped is steered around, what stays so is
 * replaced, and a pause of everything harms nobody. */
#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

TestSuite(hangs, .fini = end, .timeout = 600);

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

/* Makes a thousand connects, one after the other; a hub that hangs for good serves none. Returns
 * how many were served before the first that was not. */
static int
connect_a_thousand(void)
{
	int served = 0;

	while (served < 1000 &&
		client_is_answered(client_connect(server.program.port), "a\n", "A\n"))
		served++;
	return served;
}

/* Stops worker 0 until that is found out. Returns how long it took, in nanoseconds. */
static int64_t
stop_worker(pid_t worker)
{
	struct state hung = {0, 0, "hung", 1};
	int64_t began = clock_now();

	kill(worker, SIGSTOP);
	cr_assert(wait_until(is_so, &hung, 5), "not found out");
	return clock_now() - began;
}

static void
continue_worker(pid_t worker)
{
	struct state well = {0, 0, "hung", 0};

	kill(worker, SIGCONT);
	cr_assert(wait_until(is_so, &well, 5), "it does not rejoin");
}

#define ACCEPTED 3 /* connections that a worker may have accepted when it is stopped */

static bool
only_those_accepted_wait(void *unused)
{
	const struct witness_result *result = &witness.result;
	uint64_t answered = __atomic_load_n(&result->exchanges, __ATOMIC_RELAXED);

	(void)unused;
	return __atomic_load_n(&result->connects, __ATOMIC_RELAXED) <= answered + ACCEPTED;
}

Test(hangs, a_stopped_worker_is_steered_around_and_rejoins)
{
	int64_t took;
	pid_t worker;
	long before;

	/* However long the thousand connects take, the worker is not replaced. */
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--hang-timeout=0", NULL));
	witness = (struct witness){
		.target.port = server.program.port, .rate = 100, .limit = 10 * CLOCK_SECOND};
	witness_start(&witness);
	worker = server_worker(&server, 0);
	nap(0.5);
	took = stop_worker(worker);
	/* The master of a busy machine may be late, but not each time. */
	for (int tries = 0; tries < 5 && took >= 2 * CLOCK_SECOND; tries++) {
		continue_worker(worker);
		took = stop_worker(worker);
	}
	cr_assert_lt(took, 2 * CLOCK_SECOND);
	cr_assert_eq(server_hub(&server, 0, 0, "weight"), 0);
	cr_assert_eq(connect_a_thousand(), 1000);
	cr_assert(wait_until(only_those_accepted_wait, NULL, 20), "%s", witness_text(&witness));
	before = server_hub(&server, 0, 0, "accepts_total");
	continue_worker(worker);
	cr_assert_eq(server_worker(&server, 0), worker);
	cr_assert_eq(connect_a_thousand(), 1000);
	cr_assert_gt(server_hub(&server, 0, 0, "accepts_total"), before, "it gets nothing");
	witness_stop(&witness);
	fprintf(stderr, "%s\n", witness_text(&witness));
	cr_assert_eq(witness.result.refused + witness.result.reset + witness.result.wrong +
			     witness.result.resent,
		0, "%s", witness_text(&witness));
	cr_assert_leq(witness.result.late, ACCEPTED, "%s", witness_text(&witness));
	cr_assert_eq(server_end(&server, 40), 0);
}

static bool
is_one_hung(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.hangs") >= 1;
}

/* Connects as long as a hub is stuck, which has not answered fd yet. Returns how many were served:
 * one that waits for the hub is the last. */
static int
connect_meanwhile(int fd)
{
	struct pollfd query = {.fd = fd, .events = POLLIN};
	int served = 0;

	while (served < 1000 && poll(&query, 1, 0) == 0 &&
		client_is_answered(client_connect(server.program.port), "a\n", "A\n"))
		served++;
	return served;
}

Test(hangs, a_hub_that_is_stuck_is_steered_around_while_its_siblings_serve)
{
	/* So long that many connects fit in, but no hang timeout. */
	const char *spin = program_is_sanitized() ? "spin 20000\n" : "spin 10000\n";
	struct state well[4] = {
		{0, 0, "hung", 0}, {0, 1, "hung", 0}, {1, 0, "hung", 0}, {1, 1, "hung", 0}};
	int fd;

	cr_assert(server_start(&server, "naughty", "2", "2", NULL));
	fd = client_connect(server.program.port);
	cr_assert_eq(send(fd, spin, strlen(spin), 0), (ssize_t)strlen(spin));
	cr_assert(wait_until(is_one_hung, NULL, 20), "%s", server.program.text);
	cr_assert_geq(connect_meanwhile(fd), 50);
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
	return server_number(&server, "totals.respawns") >= 1;
}

Test(hangs, a_hub_that_stays_stuck_has_its_worker_replaced)
{
	int fd;

	cr_assert(server_start(&server, "naughty", "2", "2", "--hang-timeout=4", NULL));
	fd = client_connect(server.program.port);
	cr_assert_eq(send(fd, "spin 60000\n", 11, 0), 11);
	cr_assert(wait_until(has_replaced_one, NULL, 10), "%s", server.program.text);
	cr_assert_eq(connect_a_thousand(), 1000);
	close(fd);
	cr_assert_eq(server_end(&server, 40), 0);
	cr_assert_not_null(
		strstr(server.program.text, "for 4 s; killing it"), "%s", server.program.text);
}

/* ---- without a CPU ---- */

#define COMPETITORS 200

static pid_t competitors[COMPETITORS];

/* Computes on these CPUs for good, from the end of the gate on. */
static _Noreturn void
compete(const cpu_set_t *cpus, int gate)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sched_setaffinity(0, sizeof *cpus, cpus);
	setpriority(PRIO_PROCESS, 0, 19);
	while (read(gate, &byte, 1) > 0)
		continue;
	for (;;)
		continue;
}

/* Gives one CPU to processes that compute for good, and to this one as another: so it has the CPU
 * for 3 ms, and then waits for more than half a second. They are so nice that nobody else
 * notices. */
static void
starve(pid_t worker)
{
	cpu_set_t one;
	int gate[2];

	cr_assert_eq(sched_getaffinity(0, sizeof one, &one), 0);
	for (int cpu = 0; CPU_COUNT(&one) > 1; cpu++)
		CPU_CLR(cpu, &one);
	cr_assert_eq(pipe(gate), 0);
	for (int i = 0; i < COMPETITORS; i++) {
		competitors[i] = fork();
		cr_assert_neq(competitors[i], -1);
		if (competitors[i] == 0) {
			close(gate[1]);
			compete(&one, gate[0]);
		}
	}
	cr_assert_eq(sched_setaffinity(worker, sizeof one, &one), 0);
	cr_assert_eq(setpriority(PRIO_PROCESS, (id_t)worker, 19), 0);
	close(gate[0]);
	close(gate[1]);
}

/* Does not wait for their ends: each needs the CPU once more. */
static void
stop_starving(void)
{
	for (int i = 0; i < COMPETITORS; i++)
		kill(competitors[i], SIGKILL);
}

/* Asks /livez and for the hub's state, for that many seconds. Returns how often something was
 * wrong. */
static int
look_for(double seconds)
{
	int64_t end = clock_now() + (int64_t)(seconds * CLOCK_SECOND);
	int wrong = 0, code;

	for (; clock_now() < end; nap(0.1)) {
		free(server_get(&server, "/livez", &code));
		wrong += code != 200;
		wrong += server_hub(&server, 0, 0, "hung") != 0;
	}
	return wrong;
}

/* Connects until that worker serves the connection. The others stay open as long, so that the
 * server's balance leads there. */
static int
connect_to(pid_t worker)
{
	int others[20], count = 0, found = -1;

	while (found == -1 && count < 20) {
		int fd = client_connect(server.program.port);
		char text[64] = "";

		if (send(fd, "where\n", 6, 0) == 6 && recv(fd, text, sizeof text - 1, 0) > 0 &&
			atoi(text) == worker)
			found = fd;
		else
			others[count++] = fd;
	}
	while (count > 0)
		close(others[--count]);
	return found;
}

static bool
is_replaced(void *worker)
{
	return server_number(&server, "totals.respawns") >= 1 &&
	       server_worker(&server, 0) != *(pid_t *)worker;
}

static bool
are_two_hung(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.hangs") >= 2;
}

Test(hangs, a_hub_without_a_cpu_is_not_hung_and_one_that_is_stuck_is)
{
	pid_t starved, other;
	int fd;

	cr_assert(server_start(&server, "naughty", "2", "1", "--hang-timeout=2", NULL));
	starved = server_worker(&server, 0);
	other = server_worker(&server, 1);
	fd = connect_to(starved);
	cr_assert_neq(fd, -1);
	starve(starved);
	cr_assert_eq(send(fd, "burn 40\n", 8, 0), 8);
	cr_assert_eq(look_for(3), 0, "%s", server.program.text);
	cr_assert_eq(server_number(&server, "totals.hangs"), 0, "%s", server.program.text);
	cr_assert_eq(server_worker(&server, 0), starved);

	/* Beside the same competitors. */
	kill(starved, SIGSTOP);
	cr_assert(wait_until(is_one_hung, NULL, 10), "%s", server.program.text);
	cr_assert(wait_until(is_replaced, &starved, 20), "%s", server.program.text);
	close(fd);
	fd = connect_to(other);
	cr_assert_neq(fd, -1);
	cr_assert_eq(send(fd, "burn 60000\n", 11, 0), 11);
	cr_assert(wait_until(are_two_hung, NULL, 20), "%s", server.program.text);
	stop_starving();
	kill(other, SIGKILL);
	close(fd);
	cr_assert_eq(server_end(&server, 40), 0);
}

/* ---- pauses ---- */

Test(hangs, a_pause_of_everything_kills_nobody)
{
	pid_t workers[2];

	/* Mere slowness does not meet the hang timeout, and the pause is longer. */
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--hang-timeout=4", NULL));
	for (unsigned i = 0; i < 2; i++)
		workers[i] = server_worker(&server, i);
	/* As on a suspended machine: the master and the workers stand still. */
	kill(server.pid, SIGSTOP);
	for (unsigned i = 0; i < 2; i++)
		kill(workers[i], SIGSTOP);
	nap(8);
	kill(server.pid, SIGCONT);
	nap(0.1);
	for (unsigned i = 0; i < 2; i++)
		kill(workers[i], SIGCONT);
	nap(1);
	cr_assert_eq(server_number(&server, "totals.respawns"), 0);
	cr_assert_eq(server_worker(&server, 0), *workers);
	cr_assert_eq(connect_a_thousand(), 1000);
	cr_assert_eq(server_end(&server, 40), 0);
}

static bool
has_reloaded(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.reloads") == 1;
}

Test(hangs, a_pause_of_everything_in_a_reload_fails_nothing)
{
	pid_t workers[8];
	int count;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--hang-timeout=4", NULL));
	kill(server.pid, SIGSTOP);
	kill(server.pid, SIGHUP);
	kill(server.pid, SIGCONT);
	/* Whichever workers have started by now. */
	nap(0.003);
	kill(server.pid, SIGSTOP);
	count = program_children(server.pid, workers, 8);
	for (int i = 0; i < count; i++)
		kill(workers[i], SIGSTOP);
	nap(8);
	for (int i = 0; i < count; i++)
		kill(workers[i], SIGCONT);
	kill(server.pid, SIGCONT);
	cr_assert(wait_until(has_reloaded, NULL, 10), "%s", server.program.text);
	cr_assert_eq(connect_a_thousand(), 1000);
	cr_assert_eq(server_end(&server, 40), 0);
}

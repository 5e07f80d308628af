/* Workers and masters that die: what is lost, what the log says of the death, and who serves
 * next. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/loader.h"
#include "tests/support/nap.h"
#include "tests/support/program.h"
#include "tests/support/server.h"

static struct program server;
static struct server loaded;
static struct loader loader;

static void
end(void)
{
	loader_clean(&loader);
	server_clean(&loaded);
	program_end(&server);
}

TestSuite(crash, .fini = end, .timeout = 600);

struct workers {
	pid_t before[2];
};

static bool
is_respawned(void *context)
{
	const struct workers *workers = context;
	pid_t now[4];

	return program_children(server.pid, now, 4) == 2 && now[0] != workers->before[0] &&
	       now[1] != workers->before[0];
}

#define LOADED 60 /* connections, each with one message under way */

/* Waits until the first worker is another process than the one that was killed, and both serve. */
static bool
is_replaced(void *killed)
{
	json_t *stats = server_stats(&loaded);
	const json_t *first = json_array_get(json_object_get(stats, "workers"), 0);
	json_int_t pid = json_integer_value(json_object_get(first, "pid"));
	bool replaced = pid != 0 && pid != *(pid_t *)killed && server_is_ready(stats, 0) &&
			server_is_ready(stats, 1);

	json_decref(stats);
	return replaced;
}

/* Whether an interval of the load has ended with a message under way on each connection. */
static bool
are_all_loaded(void *unused)
{
	const char *line = loader.program.text;
	int in_flight = 0;

	(void)unused;
	program_expect(&loader.program, "no such text", 0.01);
	for (; line != NULL && in_flight != LOADED; line = strchr(line + 1, '\n'))
		if (sscanf(line, " %*fs %*s %*s %d", &in_flight) != 1)
			in_flight = 0;
	return in_flight == LOADED;
}

static void
wait_for_load(void)
{
	program_forget(&loader.program);
	cr_assert(wait_until(are_all_loaded, NULL, 20), "%s", loader.program.text);
}

Test(crash, a_killed_worker_under_load_loses_only_what_it_had_accepted)
{
	double broken;

	cr_assert(server_start(&loaded, "hubbub-echo", "2", "2", NULL));
	cr_assert(loader_start(&loader, loaded.program.port, "-i", "100ms", "-c", "60", "-d",
		"1000s", "--warmup=0", NULL));
	wait_for_load();
	for (int i = 0; i < 5; i++) {
		pid_t killed = server_worker(&loaded, 0);

		/* A worker is replaced at once only if it has served for half a second. */
		nap(0.7);
		cr_assert_gt(killed, 0);
		kill(killed, SIGKILL);
		cr_assert(wait_until(is_replaced, &killed, 20), "no new worker");
	}
	/* The generator has noticed in the first of these intervals what was broken. */
	for (int intervals = 0; intervals < 3; intervals++)
		wait_for_load();
	kill(loader.program.pid, SIGINT);
	cr_assert_eq(loader_wait(&loader, 20), 130, "%s", loader.program.text);
	broken = loader_number(&loader, "connections.reconnects");
	cr_assert_gt(broken, 0, "the killed workers served nobody");
	cr_assert_eq(
		loader_number(&loader, "verify.corrupt") + loader_number(&loader, "verify.crossed"),
		0);
	/* Each connection had at most one message under way, and no connect was refused. */
	cr_assert_leq(loader_number(&loader, "load.lost"), broken, "%s", loader.program.text);
	cr_assert_eq(
		loader_number(&loader, "connections.alive_end"), LOADED, "%s", loader.program.text);
	cr_assert(json_object_get(
			  json_object_get(json_object_get(json_object_get(loader.result, "errors"),
						  "by_kind"),
				  "connect"),
			  "ECONNREFUSED") == NULL,
		"%s", loader.program.text);
	cr_assert_eq(server_end(&loaded, 40), 0, "%s", loaded.program.text);
}

/* Waits for every thread of the process: SIGSTOP reaches them one by one. */
static bool
is_stopped(void *context)
{
	char path[64], state;
	struct dirent *entry;
	bool stopped = true;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", (int)*(pid_t *)context);
	tasks = opendir(path);
	while (tasks != NULL && stopped && (entry = readdir(tasks)) != NULL) {
		char stat[400];
		FILE *stream;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(stat, sizeof stat, "%s/%s/stat", path, entry->d_name);
		stream = fopen(stat, "re");
		stopped =
			stream != NULL && fscanf(stream, "%*d %*s %c", &state) == 1 && state == 'T';
		if (stream != NULL)
			fclose(stream);
	}
	if (tasks != NULL)
		closedir(tasks);
	return stopped;
}

Test(crash, what_is_queued_when_a_worker_dies_is_served_by_the_next)
{
	struct workers workers;
	int clients[40];

	cr_assert(program_start_echo(&server, "-p2", "-t2", NULL));
	poll(NULL, 0, 700);
	cr_assert_eq(program_children(server.pid, workers.before, 2), 2);
	/* Stopped workers do not accept: every connection is queued. */
	for (int i = 0; i < 2; i++) {
		kill(workers.before[i], SIGSTOP);
		cr_assert(wait_until(is_stopped, &workers.before[i], 10));
	}
	for (int i = 0; i < 40; i++) {
		clients[i] = client_connect(server.port);
		cr_assert_neq(clients[i], -1);
		cr_assert_eq(send(clients[i], "x", 1, 0), 1);
	}
	kill(workers.before[0], SIGKILL);
	kill(workers.before[1], SIGKILL);
	for (int i = 0; i < 40; i++) {
		char reply;

		cr_assert_eq(
			recv(clients[i], &reply, 1, 0), 1, "client %d: %s", i, strerror(errno));
		cr_assert_eq(reply, 'X');
		close(clients[i]);
	}
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0);
	cr_assert_not_null(strstr(server.text, "killed by signal 9"), "%s", server.text);
}

static bool
listens_no_more(void *context)
{
	return program_listeners(*(pid_t *)context) == 0;
}

Test(crash, workers_outlive_the_master_until_what_is_open_has_ended_even_stopped_ones)
{
	pid_t workers[2];
	int fd;

	cr_assert(program_start_echo(&server, "-p2", "-t2", NULL));
	cr_assert_eq(program_children(server.pid, workers, 2), 2);
	kill(workers[1], SIGSTOP);
	fd = client_connect(server.port);
	cr_assert_eq(program_stop(&server, SIGKILL, 10), 128 + SIGKILL);
	for (int i = 0; i < 2; i++)
		cr_assert(wait_until(listens_no_more, &workers[i], 10), "worker %d listens", i);
	/* The dead server's port is free again. */
	char option[64];
	struct program second;

	snprintf(option, sizeof option, "--listen=127.0.0.1:%d", server.port);
	cr_assert(program_start_echo(&second, option, "-p1", "-t1", NULL), "%s", second.text);
	/* Not before: after an answer it would be idle, and ended. */
	cr_assert(client_exchange(fd, "open", "OPEN"));
	close(fd);
	for (int i = 0; i < 2; i++)
		cr_assert(wait_until(program_is_gone, &workers[i], 10), "worker %d lives on", i);
	program_end(&second);
}

static bool
has_crashed_four_times(void *context)
{
	pid_t worker;

	(void)context;
	if (program_children(server.pid, &worker, 1) == 1)
		kill(worker, SIGKILL);
	return program_expect(&server, "failed 4 times in a row", 0.001);
}

Test(crash, a_crash_loop_backs_off_and_the_service_recovers)
{
	int fd;

	cr_assert(program_start_echo(&server, "-p1", "-t1", NULL));
	cr_assert(wait_until(has_crashed_four_times, NULL, 30), "%s", server.text);
	/* No worker serves meanwhile, so the pause stays at a quarter of a second. */
	cr_assert_not_null(
		strstr(server.text, "failed 4 times in a row; starting another in 0.25 s"), "%s",
		server.text);
	fd = client_connect(server.port);
	cr_assert(client_exchange(fd, "back", "BACK"), "not served after the crash loop");
	close(fd);
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0);
}

Test(crash, a_stuck_worker_does_not_keep_the_server_from_stopping)
{
	pid_t workers[2];

	cr_assert(program_start_echo(&server, "-p2", "-t1", "--drain-timeout=0.3", NULL));
	cr_assert_eq(program_children(server.pid, workers, 2), 2);
	kill(workers[0], SIGSTOP);
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0, "%s", server.text);
	cr_assert_not_null(strstr(server.text, "killing them"), "%s", server.text);
}

Test(crash, out_of_files_a_server_logs_at_most_a_line_a_second_and_recovers)
{
	char *argv[] = {program_path("hubbub-echo"), "--listen=127.0.0.1:0", "-p1", "-t1", NULL};
	int clients[200], last, said = 0;
	const char *at;
	int64_t began;

	cr_assert(program_start(&server, argv, 64));
	cr_assert(program_expect(&server, ", pid ", 20), "%s", server.text);
	cr_assert_eq(
		sscanf(strstr(server.text, "ready: "), "ready: 127.0.0.1:%d", &server.port), 1);
	began = clock_now();
	for (int i = 0; i < 200; i++) {
		clients[i] = client_connect(server.port);
		cr_assert_neq(clients[i], -1);
	}
	/* The server knows its limit before it reaches it. */
	cr_assert(program_expect(&server, "connections are in use", 10));
	program_expect(&server, "nothing that is ever printed", 2.5);
	cr_assert_null(strstr(server.text, "cannot accept"), "%s", server.text);
	for (at = server.text; (at = strstr(at, "in use")) != NULL; at++)
		said++;
	cr_assert_leq(said, 2 + (clock_now() - began) / CLOCK_SECOND, "%s", server.text);
	for (int i = 0; i < 199; i++)
		close(clients[i]);
	last = clients[199];
	cr_assert(client_exchange(last, "at last", "AT LAST"));
	close(last);
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0, "%s", server.text);
}

static double
cpu_seconds(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return -1;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

Test(crash, draining_hubs_wait_without_using_cpu)
{
	double before;
	pid_t worker;
	int fd;

	cr_assert(program_start_echo(&server, "-p1", "-t4", NULL));
	cr_assert_eq(program_children(server.pid, &worker, 1), 1);
	/* The client has sent nothing, so the drain waits for it. */
	fd = client_connect(server.port);
	cr_assert_neq(fd, -1);
	kill(server.pid, SIGTERM);
	cr_assert(program_expect(&server, "stopping", 10));
	before = cpu_seconds(worker);
	cr_assert_eq(program_wait(&server, 0.9), -1);
	cr_assert_lt(cpu_seconds(worker) - before, 0.3);
	close(fd);
	cr_assert_eq(program_wait(&server, 10), 0);
}

/* A process apart, because a sanitizer takes the fault for one of the program. */
TestSuite(segv, .fini = end, .timeout = 600);

Test(segv, a_worker_sent_a_fault_dies_of_it_and_is_replaced)
{
	struct workers workers;

	cr_assert(program_start_echo(&server, "-p2", "-t1", NULL));
	cr_assert_eq(program_children(server.pid, workers.before, 2), 2);
	kill(workers.before[0], SIGSEGV);
	cr_assert(wait_until(is_respawned, &workers, 10), "%s", server.text);
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0);
	cr_assert_not_null(strstr(server.text, "killed by signal 11"), "%s", server.text);
}

Test(crash, nobody_reading_stderr_does_not_keep_it_from_stopping)
{
	char *argv[] = {program_path("hubbub-echo"), "--listen=127.0.0.1:0", "-p2", "-t1", NULL};
	char filler[4096] = {0};

	cr_assert(program_start(&server, argv, 0));
	cr_assert(program_expect(&server, ", pid ", 20));
	/* Fills the pipe that is the server's standard error, through the server's own file
	 * descriptor. */
	snprintf(filler, sizeof filler, "/proc/%d/fd/2", (int)server.pid);
	int pipe = open(filler, O_WRONLY | O_NONBLOCK);
	cr_assert_neq(pipe, -1);
	while (write(pipe, filler, sizeof filler) > 0)
		continue;
	close(pipe);
	kill(server.pid, SIGTERM);
	cr_assert(wait_until(program_is_gone, &server.pid, 20), "it hangs");
	waitpid(server.pid, NULL, 0);
	server.pid = 0;
}

/* hubbub-ctl trace: the file, and what a recording meets: reloads, deaths and hangs of workers, an
 * interrupt, a full disk. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

static struct server server;
static struct program trace;
static char file[128], output[PROGRAM_OUTPUT_SIZE];

static void
start(const char *recorder)
{
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", recorder, NULL), "%s",
		server.program.text);
	snprintf(file, sizeof file, "%s/trace.json", server.folder);
}

static void
end(void)
{
	unlink(file);
	server_end(&server, program_patience(30));
}

TestSuite(trace, .fini = end, .timeout = 300);

/* Begins a trace into that file. */
static void
begin(const char *seconds, const char *path)
{
	char *const words[] = {program_path("hubbub-ctl"), (char *)"-s", server.control,
		(char *)"-o", (char *)(uintptr_t)path, (char *)"trace", (char *)(uintptr_t)seconds,
		NULL};

	cr_assert(program_start(&trace, words, 0));
}

/* Waits for its end; the file becomes *events. Returns the exit code. */
static int
finish(json_t **events)
{
	int code = program_wait(&trace, program_patience(60));
	json_t *whole = json_load_file(file, 0, NULL);

	snprintf(output, sizeof output, "%s", trace.text);
	program_end(&trace);
	*events = json_incref(json_object_get(whole, "traceEvents"));
	json_decref(whole);
	return code;
}

static double
number(const json_t *event, const char *key)
{
	return json_number_value(json_object_get(event, key));
}

static bool
is_phase(const json_t *event, const char *phase)
{
	return strcmp(json_string_value(json_object_get(event, "ph")), phase) == 0;
}

/* Slices of one track follow each other, up to the rounding of doubles. */
static bool
slices_nest(const json_t *events)
{
	const json_t *event, *other;
	size_t i, j;

	json_array_foreach(events, i, event)
	{
		if (!is_phase(event, "X"))
			continue;
		for (j = i + 1; j < json_array_size(events); j++) {
			other = json_array_get(events, j);
			if (!is_phase(other, "X") || number(other, "pid") != number(event, "pid") ||
				number(other, "tid") != number(event, "tid"))
				continue;
			if (number(other, "ts") < number(event, "ts") + number(event, "dur") - 0.01)
				return false;
			break;
		}
	}
	return true;
}

static size_t
count(const json_t *events, const char *phase)
{
	size_t found = 0, i;
	const json_t *event;

	json_array_foreach(events, i, event) found += is_phase(event, phase);
	return found;
}

/* Whether that process has slices. */
static bool
has_process(const json_t *events, pid_t pid)
{
	const json_t *event;
	size_t i;

	json_array_foreach(events, i,
		event) if (is_phase(event, "X") && (pid_t)number(event, "pid") == pid) return true;
	return false;
}

static bool
has_workers(const json_t *events)
{
	return has_process(events, server_worker(&server, 0)) &&
	       has_process(events, server_worker(&server, 1));
}

Test(trace, records_what_comes)
{
	json_t *events;

	start(NULL);
	begin("0.5", file);
	cr_assert_eq(finish(&events), 0, "%s", output);
	cr_assert_not_null(strstr(output, "of 2 hubs"), "%s", output);
	cr_assert(slices_nest(events));
	cr_assert_gt(count(events, "X"), 10);
	cr_assert_gt(count(events, "C"), 0);
	cr_assert_gt(count(events, "s"), 0);
	cr_assert_eq(count(events, "s"), count(events, "f"));
	json_decref(events);
}

Test(trace, is_summed_up)
{
	int client;

	start("--flight-recorder=64K");
	client = client_connect(server.program.port);
	cr_assert(client_exchange(client, "a\n", "A\n"));
	cr_assert_eq(
		server_ctl(&server, "trace", "--summary", output, sizeof output), 0, "%s", output);
	close(client);
	cr_assert_not_null(strstr(output, "2 hubs, together"), "%s", output);
	cr_assert_not_null(strstr(output, "\nconnection"), "%s", output);
	cr_assert_not_null(strstr(output, "SLOWEST"), "%s", output);
	cr_assert_neq(access(file, F_OK), 0);
}

Test(trace, has_the_past_of_a_recorder)
{
	json_t *events;

	start("--flight-recorder=64K");
	begin(NULL, file);
	cr_assert_eq(finish(&events), 0, "%s", output);
	cr_assert(has_workers(events), "%s", output);
	json_decref(events);
}

Test(trace, goes_on_through_a_reload)
{
	json_t *events;

	start(NULL);
	begin("60", file);
	cr_assert(program_expect(&trace, "recording", program_patience(60)));
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	kill(trace.pid, SIGINT);
	cr_assert_eq(finish(&events), 0, "%s", output);
	cr_assert(has_workers(events), "%s", output);
	json_decref(events);
}

Test(trace, has_what_a_dead_worker_did)
{
	json_t *events;

	pid_t killed;

	start("--flight-recorder=64K");
	killed = server_worker(&server, 0);
	kill(killed, SIGKILL);
	cr_assert(program_expect(&server.program, "was killed by signal 9", program_patience(60)));
	begin(NULL, file);
	cr_assert_eq(finish(&events), 0, "%s", output);
	cr_assert(has_process(events, killed), "%s", output);
	json_decref(events);
}

Test(trace, names_hubs_that_do_not_record)
{
	json_t *events;

	start(NULL);
	server_signal_worker(&server, 0, SIGSTOP);
	begin("0.3", file);
	cr_assert_eq(finish(&events), 0, "%s", output);
	cr_assert_not_null(strstr(output, "hub 0 of worker 0 has recorded nothing"), "%s", output);
	server_signal_worker(&server, 0, SIGCONT);
	json_decref(events);
}

Test(trace, says_that_a_disk_is_full)
{
	json_t *events;

	start(NULL);
	begin("0.2", "/dev/full");
	cr_assert_eq(finish(&events), 1);
	cr_assert_not_null(strstr(output, "No space left on device"), "%s", output);
}

Test(trace, refuses_what_is_no_time)
{
	start(NULL);
	cr_assert_eq(server_ctl(&server, "trace", "0", output, sizeof output), 2);
	cr_assert_eq(server_ctl(&server, "trace", "2d", output, sizeof output), 2);
}

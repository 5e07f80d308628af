/* Requests and metrics of a service's own: what is counted counts once, whatever ends its process,
 * and in a program with another table, too. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/system/changing.h"

TestSuite(metrics, .init = changing_begin, .fini = changing_end, .timeout = 300);

/* A number of the state at most three objects deep; -1 if there is none. */
static double
number(const char *object, const char *name, const char *key)
{
	json_t *state = server_stats(&server);
	const json_t *value = json_object_get(json_object_get(state, object), name);
	double found;

	value = key != NULL ? json_object_get(value, key) : value;
	found = json_is_number(value) ? json_number_value(value) : -1;
	json_decref(state);
	return found;
}

static double
own(const char *name)
{
	return number("metrics", name, NULL);
}

static double
requests(const char *key)
{
	return number("totals", "request_duration_seconds", key);
}

/* Sends a line. Returns the worker that has obeyed it; -1 if none has. */
static int
tell(int client, const char *line)
{
	char answer[4] = "";
	size_t got = 0;

	if (write(client, line, strlen(line)) == -1)
		return -1;
	while (got < 2 && read(client, answer + got, 1) == 1)
		got++;
	return got == 2 ? atoi(answer) : -1;
}

static int
tell_once(const char *line)
{
	int client = client_connect(server.program.port), worker = tell(client, line);

	close(client);
	return worker;
}

/* Kills a worker, and waits until another process has taken its place. */
static bool
is_replaced(void *former)
{
	pid_t now = server_worker(&server, 0);

	return now != 0 && now != *(pid_t *)former && server_hub(&server, 0, 0, "accepts") == 1;
}

static void
kill_worker(void)
{
	pid_t former = server_worker(&server, 0);

	kill(former, SIGKILL);
	cr_assert(wait_until(is_replaced, &former, 20));
}

/* The sum over all hubs of a metric's lines in /metrics. */
static double
scraped(const char *name)
{
	int code;
	char *text = server_get(&server, "/metrics", &code), start[96];
	double sum = 0;

	cr_assert_not_null(text);
	snprintf(start, sizeof start, "\n%s{", name);
	for (const char *line = text; (line = strstr(line, start)) != NULL; line++)
		sum += strtod(strchr(line, '}') + 1, NULL);
	free(text);
	return sum;
}

static void
assert_counted(double lookups, const char *when)
{
	cr_assert_eq(own("counting_lookups_total"), lookups, "%s: %f", when,
		own("counting_lookups_total"));
	cr_assert_eq(scraped("counting_lookups_total"), lookups, "%s", when);
	cr_assert_eq(number("metrics", "counting_sizes", "count"), lookups, "%s", when);
	cr_assert_eq(scraped("counting_sizes_count"), lookups, "%s", when);
	cr_assert_eq(scraped("counting_sizes_sum"), 100 * lookups, "%s", when);
}

static void
count(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		cr_assert_neq(tell_once("lookup 1\n"), -1);
		cr_assert_neq(tell_once("size 100\n"), -1);
	}
}

static bool
has_no_keys(void *context)
{
	(void)context;
	return own("counting_keys") == 0;
}

Test(metrics, of_a_service_are_counted_once_over_kills_reloads_and_scales)
{
	int clients[2] = {0}, others;

	cr_assert(server_start(&server, "counting", "2", "2", NULL), "%s", server.program.text);
	count(20);
	for (int i = 0; i < 20; i++) {
		int worker = tell_once("key 3\n");

		cr_assert_geq(worker, 0);
		clients[worker]++;
	}
	others = clients[1];
	assert_counted(20, "at first");
	cr_assert_eq(own("counting_keys"), 60);
	kill_worker();
	assert_counted(20, "after a kill");
	cr_assert_eq(own("counting_keys"), 3 * others, "a dead process has no keys");
	count(1);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	count(1);
	assert_counted(22, "after a reload");
	cr_assert(wait_until(has_no_keys, NULL, 20));
	cr_assert_eq(server_ctl(&server, "scale", "1x1", output, sizeof output), 0, "%s", output);
	count(1);
	assert_counted(23, "after a scale");
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(metrics, of_a_service_go_on_in_a_program_with_another_table)
{
	char next[96];

	snprintf(next, sizeof next, "%s/next", folder);
	setenv("COUNTING_NEXT", next, 1);
	cr_assert(server_start(&server, "counting", "2", "1", NULL), "%s", server.program.text);
	count(5);
	cr_assert_geq(own("counting_flip"), 1, "a gauge");
	cr_assert_eq(own("counting_news_total"), -1, "there is none");
	close(open(next, O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	assert_counted(5, "after an upgrade");
	cr_assert_eq(number("metrics", "counting_flip", "count"), 0, "a histogram");
	cr_assert_eq(own("counting_news_total"), 0);
	count(2);
	assert_counted(7, "by the next program");
	/* Its counts are folded by a program that has another table, and those before, too. */
	kill_worker();
	assert_counted(7, "after a kill");
	unlink(next);
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	count(1);
	assert_counted(8, "by the former program");
	cr_assert_geq(own("counting_flip"), 1, "a gauge again");
	cr_assert_eq(server_end(&server, 20), 0);
}

static bool
are_four(void *context)
{
	(void)context;
	return requests("count") == 4;
}

Test(metrics, requests_are_counted_with_how_long_they_took)
{
	int client;

	cr_assert(server_start(&server, "counting", "1", "2", "--drain-timeout=1", NULL), "%s",
		server.program.text);
	cr_assert_eq(requests("count"), 0);
	for (int i = 0; i < 3; i++)
		tell_once("serve 30\n");
	cr_assert_eq(requests("count"), 3);
	cr_assert_geq(requests("p50"), .028, "30 ms, to 6.25 %%");
	cr_assert_geq(requests("sum"), .09);
	tell_once("end 20\n");
	/* The answer is sent before the service's function returns. */
	cr_assert(wait_until(are_four, NULL, 10), "it ends with its connection");
	cr_assert_eq(scraped("hubbub_request_duration_seconds_count"), 4);
	/* One that dies with its worker has not ended. */
	client = client_connect(server.program.port);
	cr_assert_eq(tell(client, "work\n"), 0);
	kill_worker();
	close(client);
	cr_assert_eq(requests("count"), 4);
	/* One that lasts until the drain's deadline ends there. */
	client = client_connect(server.program.port);
	cr_assert_eq(tell(client, "work\n"), 0);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	cr_assert(client_sees_end(client));
	close(client);
	cr_assert_eq(requests("count"), 5);
	cr_assert_eq(server_end(&server, 20), 0);
}

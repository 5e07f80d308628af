/* The admin server: probes, metrics, and which requests it refuses. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

static struct server server;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(admin, .fini = end, .timeout = 600);

static int
code_of(const char *path)
{
	int code;

	free(server_get(&server, path, &code));
	return code;
}

Test(admin, probes_tell_alive_from_ready)
{
	/* Longer than all that is asked meanwhile. */
	const char *delay = program_is_sanitized() ? "40" : "10";
	char option[32], said[32];
	int fd;

	snprintf(option, sizeof option, "--drain-delay=%s", delay);
	snprintf(said, sizeof said, "for another %s s", delay);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", option, NULL));
	cr_assert_eq(code_of("/livez"), 200);
	cr_assert_eq(code_of("/readyz"), 200);
	cr_assert_eq(code_of("/no/such/page"), 404);
	/* During the drain delay the server still serves new connections, but reports that it will
	 * stop. */
	kill(server.pid, SIGTERM);
	cr_assert(program_expect(&server.program, said, 5));
	cr_assert_eq(code_of("/livez"), 200);
	cr_assert_eq(code_of("/readyz"), 503);
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "late", "LATE"));
	close(fd);
	cr_assert_eq(program_wait(&server.program, 20), 0);
}

/* Returns the status code of the answer to a request, its first line and headers. */
static int
asked(const char *request)
{
	char answer[256] = "";
	int fd = client_connect(server.admin), code = 0;

	cr_assert_gt(send(fd, request, strlen(request), 0), 0);
	cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
	close(fd);
	sscanf(answer, "HTTP/1.%*d %d", &code);
	return code;
}

Test(admin, only_reading_is_allowed)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert_eq(asked("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
			   "0\r\n\r\n"),
		405);
}

static const char *const everything[] = {
	"GET /", "GET /metrics", "GET /livez", "GET /readyz", "GET /stats.json", "POST /drain"};

/* Requests of a browser that was led here by a name, or from a page of another site. */
static void
assert_all_answered(const char *headers, int reading, int draining)
{
	char request[512];

	for (size_t i = 0; i < sizeof everything / sizeof everything[0]; i++) {
		snprintf(request, sizeof request, "%s HTTP/1.1\r\n%s\r\n\r\n", everything[i],
			headers);
		cr_assert_eq(asked(request), everything[i][0] == 'P' ? draining : reading, "%s",
			request);
	}
}

#define DRAIN "\r\nX-Hubbub: drain"

Test(admin, answers_to_its_own_names_and_to_no_page_of_another_site)
{
	char headers[256], machine[200] = "";

	cr_assert(server_start(
		&server, "hubbub-echo", "1", "1", "--admin-host=hubbub.example", NULL));
	assert_all_answered("Host: localhost.evil.example" DRAIN, 403, 403);
	assert_all_answered("Host: 127.0.0.1.evil.example" DRAIN, 403, 403);
	assert_all_answered("Host: [::1].evil.example" DRAIN, 403, 403);
	assert_all_answered("Host: evil.example:80" DRAIN, 403, 403);
	assert_all_answered("Host: localhost\r\nHost: evil.example" DRAIN, 403, 403);
	assert_all_answered("Host: localhost\r\nOrigin: http://evil.example" DRAIN, 403, 403);
	assert_all_answered("Host: localhost\r\nOrigin: null" DRAIN, 403, 403);
	/* A reader may know the server by any name, or by none; a client that drains may not. */
	assert_all_answered("Host: hubbub.example:9091" DRAIN, 200, 403);
	assert_all_answered("X-Hubbub: drain", 200, 403);
	gethostname(machine, sizeof machine - 1);
	snprintf(headers, sizeof headers, "Host: %s", machine);
	assert_all_answered(headers, 200, 403);
	assert_all_answered("Host: 192.0.2.1:9091", 200, 403);
	snprintf(headers, sizeof headers, "Host: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d" DRAIN,
		server.admin, server.admin);
	assert_all_answered(headers, 200, 202);
	cr_assert_eq(program_wait(&server.program, 20), 0);
}

/* The value of a metric in a text, for one worker and hub; -1 if it is not there. */
static double
metric(const char *text, const char *name, int worker, int hub)
{
	char line[128];
	const char *at;
	double value = -1;

	if (worker >= 0)
		snprintf(line, sizeof line, "\n%s{worker=\"%d\",hub=\"%d\"} ", name, worker, hub);
	else
		snprintf(line, sizeof line, "\n%s ", name);
	at = strstr(text, line);
	if (at != NULL)
		sscanf(at + strlen(line), "%lf", &value);
	return value;
}

static double
sum(const char *text, const char *name)
{
	double total = 0;

	for (int worker = 0; worker < 2; worker++)
		for (int hub = 0; hub < 2; hub++)
			total += metric(text, name, worker, hub);
	return total;
}

/* The bytes of five clients, counted after they were sent, and ten that stay. */
static bool
five_have_left(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.sent_bytes") == 25 &&
	       server_number(&server, "totals.closed") == 5 &&
	       server_number(&server, "connections") == 10;
}

static bool
one_is_replaced(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.respawns") == 1;
}

Test(admin, metrics_add_up_and_never_go_back)
{
	int clients[10], code;
	char *before, *after;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--drain-timeout=300", NULL));
	for (int i = 0; i < 5; i++)
		cr_assert(
			client_is_answered(client_connect(server.program.port), "hello", "HELLO"));
	/* Clients that have sent nothing are not idle: the former generation waits for them. */
	for (int i = 0; i < 10; i++)
		clients[i] = client_connect(server.program.port);
	cr_assert(wait_until(five_have_left, NULL, 5));
	before = server_get(&server, "/metrics", &code);
	cr_assert_eq(code, 200);
	cr_assert_eq(sum(before, "hubbub_accepts_total"), 15);
	cr_assert_eq(sum(before, "hubbub_connections"), 10);
	cr_assert_eq(sum(before, "hubbub_received_bytes_total"), 25);
	cr_assert_eq(sum(before, "hubbub_sent_bytes_total"), 25);
	cr_assert_eq(metric(before, "hubbub_ready", -1, 0), 1);
	cr_assert_not_null(strstr(before, ",allocator=\""));
	/* Two generations side by side, then a death. */
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	server_signal_worker(&server, 0, SIGKILL);
	cr_assert(wait_until(one_is_replaced, NULL, 5));
	after = server_get(&server, "/metrics", &code);
	cr_assert_eq(sum(after, "hubbub_accepts_total"), 15);
	cr_assert_eq(sum(after, "hubbub_received_bytes_total"), 25);
	cr_assert_eq(sum(after, "hubbub_connections"), 10, "the former generation drains");
	cr_assert_eq(metric(after, "hubbub_generation", -1, 0), 2);
	cr_assert_eq(metric(after, "hubbub_respawns_total", -1, 0), 1);
	free(before);
	free(after);
	for (int i = 0; i < 10; i++)
		close(clients[i]);
}

Test(admin, promtool_has_nothing_to_say)
{
	char path[160], command[512];
	int code;
	char *text;
	FILE *file;

	if (access("/usr/bin/promtool", X_OK) != 0)
		cr_skip("promtool is not installed");
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", NULL));
	text = server_get(&server, "/metrics", &code);
	snprintf(path, sizeof path, "%s/metrics", server.folder);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
	free(text);
	snprintf(command, sizeof command, "promtool check metrics <%s >%s/said 2>&1", path,
		server.folder);
	code = system(command);
	snprintf(command, sizeof command, "cat %s/said >&2; test ! -s %s/said", server.folder,
		server.folder);
	cr_assert_eq(code, 0);
	cr_assert_eq(system(command), 0);
}

Test(admin, it_answers_while_files_are_exhausted_and_a_worker_is_frozen)
{
	char state[4096] = "";

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--max-connections=3", NULL));
	int clients[8];

	for (int i = 0; i < 8; i++)
		clients[i] = client_connect(server.program.port);
	server_signal_worker(&server, 0, SIGSTOP);
	cr_assert_eq(code_of("/metrics"), 200);
	cr_assert_eq(code_of("/stats.json"), 200);
	/* Whether the server is ready depends on how long that took. */
	server_ctl(&server, "status", NULL, state, sizeof state);
	cr_assert_not_null(strstr(state, "serving"), "%s", state);
	server_signal_worker(&server, 0, SIGCONT);
	for (int i = 0; i < 8; i++)
		close(clients[i]);
}

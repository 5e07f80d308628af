/* The live page in a browser: of a real server, and in each state that a server can be in. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

#define PAGE_SIZE (1 << 20)

static struct server server;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(page, .fini = end, .timeout = 600);

/* Writes text to a file of the server's directory. */
static void
write_file(const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", server.folder, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

/* What a real browser shows when it has run the page for so many milliseconds of its own clock; the
 * caller frees it. */
static char *
look(const char *url, unsigned time, const char *options)
{
	char command[768], path[160], *text = calloc(1, PAGE_SIZE);
	FILE *file;

	if (access("/usr/bin/chromium", X_OK) != 0)
		cr_skip("chromium is not installed");
	snprintf(path, sizeof path, "%s/seen", server.folder);
	snprintf(command, sizeof command,
		"timeout 300 chromium --headless --no-sandbox --disable-gpu %s "
		"--user-data-dir=%s/chromium --virtual-time-budget=%u --dump-dom %s >%s "
		"2>/dev/null; rm -rf %s/chromium",
		options, server.folder, time, url, path, server.folder);
	cr_assert_eq(system(command), 0);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	cr_assert_gt(fread(text, 1, PAGE_SIZE - 1, file), 0);
	fclose(file);
	return text;
}

static char *
look_at_server(void)
{
	char url[64], *text;

	snprintf(url, sizeof url, "http://127.0.0.1:%d/", server.admin);
	text = look(url, 5000, "");
	cr_assert_not_null(strstr(text, "id=\"lost\" role=\"alert\" hidden"), "%s", text);
	cr_assert_null(strstr(text, "NaN"));
	cr_assert_null(strstr(text, "undefined"));
	return text;
}

static bool
has_one(void *unused)
{
	(void)unused;
	return server_number(&server, "connections") == 1;
}

/* Whether both workers are ready, one of which has been replaced. */
static bool
are_ready_again(void *unused)
{
	json_t *state = server_stats(&server);
	bool are = server_is_ready(state, 0) && server_is_ready(state, 1) &&
		   json_integer_value(
			   json_object_get(json_object_get(state, "totals"), "respawns")) == 1;

	(void)unused;
	json_decref(state);
	return are;
}

Test(page, shows_processes_hubs_and_events)
{
	unsigned ready = 0;
	char *text;
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--drain-timeout=300", NULL));
	/* The client sends nothing, so the former generation waits for it. */
	fd = client_connect(server.program.port);
	cr_assert(wait_until(has_one, NULL, 5));
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	server_signal_worker(&server, 1, SIGKILL);
	cr_assert(wait_until(are_ready_again, NULL, 20));
	text = look_at_server();
	cr_assert_not_null(strstr(text, "<title>hubbub-echo: 1 connection</title>"), "%s", text);
	cr_assert_not_null(strstr(text, "class=\"pill good\" id=\"phase\""), "%s", text);
	cr_assert_not_null(strstr(text, "2 processes × 2 threads"), "%s", text);
	/* Four hubs, and two workers. */
	for (const char *at = text; (at = strstr(at, ">ready</td>")) != NULL; at++)
		ready++;
	cr_assert_eq(ready, 6, "%s", text);
	cr_assert_not_null(strstr(text, "id=\"leaving\">"), "what drains is hidden");
	cr_assert_not_null(strstr(text, "<td class=\"n\">5 min</td>"), "ends in: %s", text);
	cr_assert_not_null(strstr(text, "was killed by signal 9"), "%s", text);
	cr_assert_not_null(strstr(text, "workers that were replaced"), "%s", text);
	cr_assert_not_null(strstr(text, "<li>--drain-timeout=300</li>"), "%s", text);
	cr_assert_not_null(strstr(text, "id=\"asked\" hidden"), "there are no requests");
	cr_assert_not_null(strstr(text, "id=\"own\" hidden"), "there are no metrics");
	free(text);
	close(fd);
}

Test(page, shows_requests_and_the_service_s_metrics)
{
	char *text;
	int fd;

	cr_assert(server_start(&server, "counting", "1", "2", NULL));
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "serve 30\n", "0\n"));
	cr_assert(client_exchange(fd, "lookup 123\n", "0\n"));
	text = look_at_server();
	cr_assert_not_null(strstr(text, "id=\"asked\">"), "%s", text);
	cr_assert_not_null(strstr(text, " ms</td>"), "%s", text);
	cr_assert_not_null(strstr(text, "id=\"own\">"), "%s", text);
	cr_assert_not_null(strstr(text, "<td>counting_lookups_total</td>"
					"<td class=\"n\">123</td>"),
		"%s", text);
	free(text);
	close(fd);
}

/* page/states.js stands in for the server's answers, and looks at what the page makes of them. */
Test(page, tells_each_state_at_any_width_in_light_and_dark)
{
	static const char *const looks[] = {
		"--window-size=500,900", "--window-size=1920,1080 --force-dark-mode"};
	static const char *const files[] = {"page.css", "page.js"};
	char url[96], command[512], *text;
	int code;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char path[32];

		snprintf(path, sizeof path, "/%s", files[i]);
		text = server_get(&server, path, &code);
		cr_assert_eq(code, 200);
		write_file(files[i], text);
		free(text);
	}
	text = server_get(&server, "/", &code);
	write_file("served.html", text);
	free(text);
	snprintf(command, sizeof command,
		"cp %s/tests/system/page/states.js %s && cd %s && sed "
		"'s#<script src=\"page.js\">#<script src=\"states.js\"></script>&#' served.html "
		">page.html",
		HUBBUB_SOURCE_DIR, server.folder, server.folder);
	cr_assert_eq(system(command), 0);
	snprintf(url, sizeof url, "file://%s/page.html", server.folder);
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		const char *report;

		text = look(url, 60000, looks[i]);
		report = strstr(text, " checks of 12 states, ");
		cr_assert_not_null(report, "%s", text);
		cr_assert_not_null(strstr(report, " 0 failed"), "%s: %s", looks[i], report);
		free(text);
	}
}

Test(page, needs_nothing_from_outside)
{
	static const char *const paths[] = {"/", "/page.css", "/page.js"};

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		int code;
		char *text = server_get(&server, paths[i], &code);

		cr_assert_eq(code, 200);
		cr_assert_null(strstr(text, "//127"), "%s", paths[i]);
		cr_assert_null(strstr(text, "http:"), "%s", paths[i]);
		cr_assert_null(strstr(text, "https:"), "%s", paths[i]);
		free(text);
	}
}

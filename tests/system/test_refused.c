/* System calls that sandboxes and older kernels refuse: each row of the guide's table
 * (deploy/guide/kernels.md) is true. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

#define ROWS_MAX 64

struct row {
	char call[64];
	char error[16]; /* "EPERM" or "ENOSYS"; "" for both */
	char effect[64];
};

static struct row rows[ROWS_MAX];
static int row_count;
static struct server server;

static void
begin(void)
{
	char line[512];
	FILE *guide = fopen(HUBBUB_SOURCE_DIR "/deploy/guide/kernels.md", "r");

	cr_assert_not_null(guide);
	while (fgets(line, sizeof line, guide) != NULL && row_count < ROWS_MAX) {
		struct row *row = &rows[row_count];

		if (sscanf(line, "| `%63[^`]` with %15[A-Z] | %63[^|]|", row->call, row->error,
			    row->effect) != 3) {
			row->error[0] = '\0';
			if (sscanf(line, "| `%63[^`]` | %63[^|]|", row->call, row->effect) != 2)
				continue;
		}
		row_count++;
	}
	fclose(guide);
	cr_assert(server_make_folder(&server));
}

static void
end(void)
{
	server_clean(&server);
}

TestSuite(refused, .init = begin, .fini = end, .timeout = 1200);

/* ---- a server to which a call is refused ---- */

static void
start(const struct row *row, const char *error)
{
	static char refuse[4096], control[128];
	static char *argv[] = {refuse, NULL, NULL, NULL, "--listen=127.0.0.1:0",
		"--listen=udp:127.0.0.1:0", "-p2", "-t2", "--pin", "--drain-timeout=2", control,
		NULL};

	snprintf(refuse, sizeof refuse, "%s", program_path("refuse"));
	snprintf(control, sizeof control, "--control=%s", server.control);
	argv[1] = (char *)(uintptr_t)row->call;
	argv[2] = (char *)(uintptr_t)error;
	argv[3] = program_path("hubbub-echo");
	cr_assert(program_start(&server.program, argv, 0));
}

static int
count_lines(const char *text)
{
	int lines = 0;

	while ((text = strchr(text, '\n')) != NULL) {
		text++;
		lines++;
	}
	return lines;
}

static void
assert_does_not_start(const struct row *row, const char *error)
{
	char name[64];

	start(row, error);
	cr_assert_eq(program_wait(&server.program, 20), 1, "%s %s: %s", row->call, error,
		server.program.text);
	cr_assert_eq(count_lines(server.program.text), 1, "%s %s: %s", row->call, error,
		server.program.text);
	/* The use of a call follows its name. */
	snprintf(name, sizeof name, "%s", row->call);
	name[strcspn(name, ":")] = '\0';
	cr_assert(strstr(server.program.text, name) != NULL ||
			  strstr(server.program.text, "file limit") != NULL,
		"%s %s: %s", row->call, error, server.program.text);
	program_end(&server.program);
}

static bool
exchanges(void *unused)
{
	(void)unused;
	return client_is_answered(client_connect(server.program.port), "refused", "REFUSED");
}

static bool
is_replaced(void *killed)
{
	pid_t children[8];
	int count = program_children(server.program.pid, children, 8);

	for (int i = 0; i < count; i++)
		if (children[i] == *(pid_t *)killed)
			return false;
	return count == 2;
}

static void
assert_serves(const struct row *row, const char *error)
{
	bool has_ctl = strstr(row->effect, "no hubbub-ctl") == NULL;
	char output[1024];
	const char *ready;
	pid_t children[8];

	start(row, error);
	cr_assert(program_expect(&server.program, ", pid ", 20), "%s %s: %s", row->call, error,
		server.program.text);
	ready = strstr(server.program.text, "ready: ");
	cr_assert(ready != NULL && sscanf(ready, "ready: 127.0.0.1:%d", &server.program.port) == 1);
	for (int i = 0; i < 8; i++)
		cr_assert(exchanges(NULL), "%s %s", row->call, error);
	cr_assert_eq(program_children(server.program.pid, children, 8), 2);
	kill(children[0], SIGKILL);
	cr_assert(wait_until(is_replaced, children, 20), "%s %s", row->call, error);
	cr_assert(wait_until(exchanges, NULL, 20), "%s %s", row->call, error);
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), has_ctl ? 0 : 1,
		"%s %s: %s", row->call, error, output);
	if (strstr(row->effect, "no upgrade") != NULL) {
		cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 1);
		cr_assert_not_null(strstr(output, row->call), "%s", output);
	}
	cr_assert(exchanges(NULL), "%s %s", row->call, error);
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0, "%s %s: %s", row->call, error,
		server.program.text);
	program_end(&server.program);
}

/* ---- the table ---- */

static const char *const errors[] = {"EPERM", "ENOSYS"};

/* Checks the rows that have that effect. Returns how many there are. */
static int
walk(const char *effect, void (*check)(const struct row *row, const char *error))
{
	int walked = 0;

	for (int i = 0; i < row_count; i++) {
		if (strncmp(rows[i].effect, effect, strlen(effect)) != 0)
			continue;
		walked++;
		for (int e = 0; e < 2; e++)
			if (rows[i].error[0] == '\0' || strcmp(rows[i].error, errors[e]) == 0)
				check(&rows[i], errors[e]);
	}
	return walked;
}

static void
skip_sanitized(void)
{
	if (program_is_sanitized())
		cr_skip("a sanitizer's runtime cannot do without these calls itself");
}

Test(refused, each_row_of_the_table_has_an_effect_that_is_tested)
{
	int known = 0;

	for (int i = 0; i < row_count; i++)
		known += strncmp(rows[i].effect, "serves", 6) == 0 ||
			 strncmp(rows[i].effect, "does not start", 14) == 0;
	cr_assert_gt(row_count, 30);
	cr_assert_eq(known, row_count);
}

Test(refused, what_is_needed_is_named_in_one_line_and_nothing_starts)
{
	skip_sanitized();
	cr_assert_gt(walk("does not start", assert_does_not_start), 8);
}

Test(refused, without_the_others_it_serves)
{
	skip_sanitized();
	cr_assert_gt(walk("serves", assert_serves), 15);
}

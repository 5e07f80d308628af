/* hubbub-load on terminals: what it shows during a run and after it, at any width. */
#include <criterion/criterion.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/loader.h"

static struct program server;

static void
begin(void)
{
	cr_assert(program_start_echo(&server, "-p", "1", "-t", "1", NULL), "%s", server.text);
}

static void
end(void)
{
	program_end(&server);
}

TestSuite(load_terminal, .init = begin, .fini = end, .timeout = 600);

static char *
target(void)
{
	static char text[32];

	snprintf(text, sizeof text, "127.0.0.1:%d", server.port);
	return text;
}

/* Runs a short load on a terminal of so many columns; returns all that was written to the
 * terminal. */
static char *
run_on_terminal(unsigned short columns, const char *variable, const char *value)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};
	char *text = calloc(1, 1 << 20);
	size_t length = 0;
	ssize_t got;
	int terminal, status;
	pid_t pid = forkpty(&terminal, NULL, NULL, &size);

	if (pid == 0) {
		setenv("TERM", "xterm", 1);
		unsetenv("NO_COLOR");
		setenv(variable, value, 1);
		execl(program_path("hubbub-load"), "hubbub-load", "-d", "1500ms", "--warmup=0",
			"-i", "200ms", "--max-lag=10s", target(), NULL);
		_exit(127);
	}
	while ((got = read(terminal, text + length, (1 << 20) - 1 - length)) > 0)
		length += (size_t)got;
	close(terminal);
	waitpid(pid, &status, 0);
	cr_assert_eq(WEXITSTATUS(status), 0, "%s", text);
	return text;
}

/* Returns the columns of the longest line, without escape sequences, and with characters of several
 * bytes counted once. */
static unsigned
longest_line(const char *text)
{
	unsigned longest = 0, width = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\033') {
			text += strcspn(text, "ABCDEFGHJKm");
		} else if (*text == '\n' || *text == '\r') {
			longest = width > longest ? width : longest;
			width = 0;
		} else {
			width += ((unsigned char)*text & 0xc0) != 0x80;
		}
	}
	return longest;
}

/* Returns by how many rows the cursor is moved up first; 0: never. */
static unsigned
rows_repainted(const char *text)
{
	unsigned rows = 0;
	char letter = 0;

	while ((text = strstr(text, "\033[")) != NULL && letter != 'A') {
		text += 2;
		if (sscanf(text, "%u%c", &rows, &letter) != 2)
			letter = 0;
	}
	return letter == 'A' ? rows : 0;
}

/* At any width all is said: in several lines where one is too narrow. */
Test(load_terminal, the_panel_is_repainted_in_place_and_all_fits_the_terminal)
{
	static const unsigned short widths[] = {32, 40, 80, 200};

	for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
		unsigned short width = widths[i];
		char *text = run_on_terminal(width, "LC_ALL", "C.UTF-8");

		cr_assert_geq(rows_repainted(text), width < 80 ? 5 : 4, "%s", text);
		cr_assert_not_null(strstr(text, "(Ctrl-C: stop and report)"), "%s", text);
		cr_assert_not_null(strstr(text, "PASS"), "%s", text);
		cr_assert_not_null(strstr(text, "p99.99"), "%s", text);
		cr_assert_not_null(strstr(text, "from send"), "%s", text);
		cr_assert_leq(longest_line(text), width, "%s", text);
		if (width == 200)
			cr_assert_not_null(strstr(text, "█"), "%s", text);
		free(text);
	}
}

Test(load_terminal, no_color_and_dumb_terminals_are_respected)
{
	char *text;

	text = run_on_terminal(120, "NO_COLOR", "1");
	cr_assert_null(strstr(text, "\033[3"), "%s", text);
	cr_assert_null(strstr(text, "\033[1m"), "%s", text);
	cr_assert_not_null(strstr(text, "\033[4A"));
	free(text);
	text = run_on_terminal(120, "TERM", "dumb");
	cr_assert_null(strchr(text, '\033'), "%s", text);
	cr_assert_not_null(strstr(text, "lag99"));
	free(text);
	text = run_on_terminal(120, "LC_ALL", "C");
	cr_assert_not_null(strstr(text, "\033[32m"), "%s", text);
	cr_assert_null(strstr(text, "█"));
	free(text);
}

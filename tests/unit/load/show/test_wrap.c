#include "tests/load/show/wrap.h"

#include <criterion/criterion.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

#define END "(end)"

static char output[4096];

/* Returns what a terminal of that width gets for the text; 0: what a file gets. */
static const char *
wrapped(const char *text, unsigned short width)
{
	struct winsize size = {.ws_row = 24, .ws_col = width};
	struct wrap wrap;
	int master, terminal, pipes[2];
	size_t length = 0;
	ssize_t got;
	FILE *stream;

	if (width > 0) {
		cr_assert_eq(openpty(&master, &terminal, NULL, NULL, &size), 0);
	} else {
		cr_assert_eq(pipe(pipes), 0);
		master = pipes[0];
		terminal = pipes[1];
	}
	stream = fdopen(terminal, "w");
	cr_assert_eq(wrap_width(stream), width);
	fputs(text, wrap_begin(&wrap, stream));
	wrap_end(&wrap);
	/* A terminal gives what it has got in pieces. */
	fputs(END, stream);
	fflush(stream);
	do {
		got = read(master, output + length, sizeof output - 1 - length);
		cr_assert_gt(got, 0);
		length += (size_t)got;
		output[length] = '\0';
	} while (strstr(output, END) == NULL);
	*strstr(output, END) = '\0';
	fclose(stream);
	close(master);
	return output;
}

Test(wrap, breaks_at_blanks_and_goes_on_further_to_the_right)
{
	const char *text = "short\n  one two three four five\n\nlast";

	cr_assert_str_eq(wrapped(text, 14),
		"short\r\n  one two\r\n      three\r\n      four\r\n      five\r\n\r\nlast");
	cr_assert_str_eq(wrapped(text, 80), "short\r\n  one two three four five\r\n\r\nlast");
	cr_assert_str_eq(wrapped(text, 0), text);
}

Test(wrap, a_word_that_is_wider_than_a_line_stays_whole)
{
	cr_assert_str_eq(wrapped("abcdefghij\na abcdefghij b\n", 8),
		"abcdefghij\r\na\r\n    abcdefghij\r\n    b\r\n");
}

Test(wrap, colours_and_bytes_of_characters_have_no_width)
{
	const char *text = "\033[31m\303\274ber\033[0m alles";

	cr_assert_eq(wrap_columns(text, strlen(text)), 10);
	cr_assert_str_eq(wrapped(text, 10), text);
	cr_assert_str_eq(wrapped(text, 9), "\033[31m\303\274ber\033[0m\r\n    alles");
}

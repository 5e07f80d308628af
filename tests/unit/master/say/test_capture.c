/* What workers print: pipes that the test itself writes to. */
#include "master/say/capture.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "tests/support/complaint.h"
#include "tests/support/descriptors.h"

static struct ev_loop *loop;
static struct capture *capture;
static int output;

static void
begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	loop = ev_loop_new(EVFLAG_NOENV);
	capture = capture_new(loop, 3, &output);
	cr_assert_not_null(capture);
	capture_set_process(capture, 4711);
	log_setup("name", LOG_WARNING, LOG_TEXT);
	complaint_listen();
}

static void
end(void)
{
	capture_end();
	ev_loop_destroy(loop);
}

TestSuite(capture, .init = begin, .fini = end, .timeout = 60);

static void
print(const char *text)
{
	cr_assert_eq(write(output, text, strlen(text)), (ssize_t)strlen(text));
}

static void
turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/* The lines of the log without their times: "info name[4711]: text worker=3|". */
static const char *
logged(void)
{
	static char found[16384];
	const char *text = complaint_heard();
	size_t length = 0;

	found[0] = '\0';
	while (*text != '\0') {
		size_t line = strcspn(text, "\n");

		cr_assert_eq(strncmp(text + 23, "Z ", 2), 0, "%s", text);
		length += (size_t)snprintf(
			found + length, sizeof found - length, "%.*s|", (int)line - 25, text + 25);
		text += line + (text[line] == '\n');
	}
	return found;
}

Test(capture, each_line_is_one_of_the_log_when_it_has_ended)
{
	print("one\ntw");
	turn();
	print("o\r\n\n\n\tthree\x1b\n");
	turn();
	cr_expect_str_eq(logged(), "info    name[4711]: one worker=3|"
				   "info    name[4711]: two worker=3|"
				   "info    name[4711]: \\tthree\\x1b worker=3|");
	close(output);
}

/* Lines without a level are logged whatever --log-level is. */
Test(capture, a_line_may_say_its_level)
{
	print("<3>bad\n<4>odd\n<6>of no interest\n<7>neither\n<8>plain\n<3\n<>\n<2>\n");
	turn();
	cr_expect_str_eq(logged(),
		"error   name[4711]: bad worker=3|warning name[4711]: odd worker=3|"
		"info    name[4711]: <8>plain worker=3|info    name[4711]: <3 worker=3|"
		"info    name[4711]: <> worker=3|");
	close(output);
}

Test(capture, a_line_that_is_too_long_is_several)
{
	static char line[2 * CAPTURE_LINE + 100];
	const char *found, *second;

	memset(line, 'x', sizeof line);
	memcpy(line + sizeof line - 5, "end\n", 5);
	print(line);
	for (int i = 0; i < 5; i++)
		turn();
	found = logged();
	second = strchr(found, '|');
	cr_assert_not_null(second);
	cr_expect_eq(strncmp(second - 15, "xxx... worker=3", 15), 0, "%s", found);
	cr_expect_eq(
		second - found, (long)strlen("info    name[4711]:  worker=3...") + CAPTURE_LINE);
	cr_expect_not_null(strstr(second + CAPTURE_LINE, "xend worker=3|"));
	close(output);
}

/* What begins a piece is no level, not even "<7>". */
Test(capture, a_line_that_is_too_long_has_its_level_to_the_end)
{
	static char line[2 * CAPTURE_LINE];
	const char *found, *second;

	memset(line, 'x', sizeof line);
	memcpy(line, "<3>", 3);
	memcpy(line + CAPTURE_LINE, "<7>y\n", 6);
	print(line);
	print("next\n");
	for (int i = 0; i < 5; i++)
		turn();
	found = logged();
	second = strchr(found, '|');
	cr_assert_not_null(second);
	cr_expect_eq(strncmp(found, "error   name[4711]: xxx", 23), 0, "%s", found);
	cr_expect_str_eq(second, "|error   name[4711]: <7>y worker=3|"
				 "info    name[4711]: next worker=3|");
	close(output);
}

Test(capture, a_turn_reads_a_part_of_what_has_been_printed)
{
	char line[100] = "";
	int count = 0;
	const char *found;

	memset(line, 'x', sizeof line - 2);
	line[sizeof line - 2] = '\n';
	for (int i = 0; i < 100; i++)
		print(line);
	turn();
	found = logged();
	for (const char *c = found; *c != '\0'; c++)
		count += *c == '|';
	cr_expect_gt(count, 0);
	cr_expect_leq(count, CAPTURE_AT_ONCE / 99);
	complaint_listen();
	close(output);
	capture_leave(capture);
	found = logged();
	for (const char *c = found; *c != '\0'; c++)
		count += *c == '|';
	cr_expect_eq(count, 100, "the rest, when the worker dies");
}

/* ---- the end ---- */

Test(capture, what_a_dead_worker_has_begun_comes_out)
{
	int before = open_descriptors();

	print("whole\nhalf");
	close(output);
	capture_leave(capture);
	cr_expect_str_eq(
		logged(), "info    name[4711]: whole worker=3|info    name[4711]: half worker=3|");
	turn();
	cr_expect_eq(open_descriptors(), before - 2 - 2, "both ends, and what the log was");
}

/* How many lines the log has. */
static unsigned
count_lines(void)
{
	static char part[65536];
	unsigned count = 0;
	ssize_t got;

	for (off_t at = 0; (got = pread(STDERR_FILENO, part, sizeof part, at)) > 0; at += got)
		for (ssize_t i = 0; i < got; i++)
			count += part[i] == '\n';
	return count;
}

/* A pipe full of short lines is logged in turns, between which the loop serves others. */
Test(capture, what_a_dead_worker_has_left_is_logged_in_turns)
{
	enum { LINES = 20000 };
	int outputs[CAPTURE_ORPHANS_MAX + 1];
	unsigned lines;

	for (int i = 0; i < LINES; i++)
		print("x\n");
	print("half");
	close(output);
	capture_leave(capture);
	lines = count_lines();
	cr_expect(lines > 0 && lines < LINES / 4, "%u lines at once", lines);
	/* It gives way to nobody before. */
	for (int i = 0; i <= CAPTURE_ORPHANS_MAX; i++)
		capture_leave(capture_new(loop, 0, &outputs[i]));
	for (int turns = 0; turns < 1000 && lines <= LINES; turns++) {
		unsigned before = lines;

		turn();
		lines = count_lines();
		cr_expect_lt(lines - before, LINES / 4, "%u lines in a turn", lines - before);
	}
	cr_expect_eq(lines, LINES + 1);
	for (int i = 0; i <= CAPTURE_ORPHANS_MAX; i++)
		close(outputs[i]);
	complaint_heard();
}

/* Long lines cost by their bytes: each that is no text is escaped. */
Test(capture, what_a_dead_worker_has_left_in_long_lines_is_logged_in_turns)
{
	static char line[1024];
	unsigned lines;

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 2] = '\n';
	for (int i = 0; i < 200; i++)
		print(line);
	close(output);
	capture_leave(capture);
	lines = count_lines();
	cr_expect(lines > 0 && lines < 100, "%u lines at once", lines);
	for (int turns = 0; turns < 1000 && lines < 200; turns++) {
		turn();
		lines = count_lines();
	}
	cr_expect_eq(lines, 200);
	complaint_heard();
}

/* A child of the worker still has the pipe. */
Test(capture, what_a_worker_has_started_is_read_on)
{
	capture_leave(capture);
	print("late\nand la");
	turn();
	print("ter\n");
	turn();
	cr_expect_str_eq(logged(), "info    name[4711]: late worker=3|"
				   "info    name[4711]: and la worker=3|"
				   "info    name[4711]: ter worker=3|");
	close(output);
	turn();
	turn();
}

Test(capture, pipes_that_nobody_closes_give_way)
{
	int outputs[CAPTURE_ORPHANS_MAX], before = open_descriptors();

	capture_leave(capture);
	for (int i = 0; i < CAPTURE_ORPHANS_MAX; i++)
		capture_leave(capture_new(loop, 0, &outputs[i]));
	/* The oldest is the one that is closed. */
	cr_expect_eq(open_descriptors(), before + 2 * CAPTURE_ORPHANS_MAX - 1);
	cr_expect_eq(write(output, "x", 1), -1);
	cr_expect_eq(write(*outputs, "x\n", 2), 2);
	cr_expect_str_eq(logged(), "");
	for (int i = 0; i < CAPTURE_ORPHANS_MAX; i++)
		close(outputs[i]);
	close(output);
}

Test(capture, the_masters_end_logs_what_is_left)
{
	print("last\nhalf");
	capture_end();
	cr_expect_str_eq(
		logged(), "info    name[4711]: last worker=3|info    name[4711]: half worker=3|");
	cr_expect_eq(write(output, "x", 1), -1);
	close(output);
}

Test(capture, a_worker_that_closes_its_output_is_left_alone)
{
	close(output);
	for (int i = 0; i < 3; i++)
		turn();
	cr_expect_eq(ev_run(loop, EVRUN_NOWAIT), 0, "nothing is watched any more");
	capture_leave(capture);
	cr_expect_str_eq(logged(), "");
}

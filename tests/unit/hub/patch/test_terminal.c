/* Reading a terminal by the character, on a coroutine and by a thread: what the two give must be
 * the same. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

#define LENGTH 16

/* What is typed at once, and what some time later. */
static const struct {
	int least, tenths;
	size_t length;
	const char *first, *later;
} cases[] = {
	{0, 0, LENGTH, "", ""},
	{0, 0, LENGTH, "ab", ""},
	{0, 1, LENGTH, "", ""},
	{0, 50, LENGTH, "", "a"},
	{1, 0, LENGTH, "", "abc"},
	{1, 1, LENGTH, "", "abc"},
	{3, 0, LENGTH, "ab", "c"},
	{3, 0, LENGTH, "", "abcd"},
	{3, 0, 2, "ab", ""},
	{3, 0, 2, "a", "b"},
	{3, 1, LENGTH, "ab", ""},
	{3, 1, LENGTH, "", "ab"},
	{3, 50, LENGTH, "ab", "cd"},
	{3, 1, 1, "ab", ""},
};
#define CASES (sizeof cases / sizeof cases[0])

struct answer {
	ssize_t length;
	int error;
	char text[LENGTH + 1];
};

struct reading {
	int slave;
	size_t number;
	struct answer answer;
};

static struct answer plain[CASES], ours[CASES];
static unsigned ticks;
static bool is_over;

static void
make_terminal(size_t number, int ends[2])
{
	struct termios settings;

	ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
	grantpt(ends[0]);
	unlockpt(ends[0]);
	ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
	tcgetattr(ends[1], &settings);
	cfmakeraw(&settings);
	settings.c_cc[VMIN] = (cc_t)cases[number].least;
	settings.c_cc[VTIME] = (cc_t)cases[number].tenths;
	tcsetattr(ends[1], TCSANOW, &settings);
}

static void *
read_it(void *argument)
{
	struct reading *reading = argument;

	reading->answer.length =
		read(reading->slave, reading->answer.text, cases[reading->number].length);
	reading->answer.error = reading->answer.length < 0 ? errno : 0;
	return NULL;
}

static void
type(int master, const char *text)
{
	if (text[0] != '\0')
		write(master, text, strlen(text));
}

static void
walk(size_t number, bool is_plain)
{
	struct reading reading = {.number = number};
	struct hub_coroutine *reader = NULL;
	pthread_t thread;
	int ends[2];

	make_terminal(number, ends);
	reading.slave = ends[1];
	type(ends[0], cases[number].first);
	/* The kernel's own thread passes it on. */
	hub_sleep(20 * HUB_MILLISECOND);
	if (is_plain)
		pthread_create(&thread, NULL, read_it, &reading);
	else
		reader = hub_spawn(read_it, &reading);
	hub_sleep(30 * HUB_MILLISECOND);
	type(ends[0], cases[number].later);
	if (is_plain)
		pthread_join(thread, NULL);
	else
		hub_join(reader, NULL);
	*(is_plain ? &plain[number] : &ours[number]) = reading.answer;
	close(ends[0]);
	close(ends[1]);
}

static void *
tick(void *argument)
{
	while (!is_over) {
		ticks++;
		hub_sleep(HUB_MILLISECOND);
	}
	return argument;
}

static void *
walk_all(void *argument)
{
	struct hub_coroutine *ticker = hub_spawn(tick, NULL);

	for (size_t i = 0; i < 2 * CASES; i++)
		walk(i / 2, i % 2 == 0);
	is_over = true;
	hub_join(ticker, NULL);
	return argument;
}

TestSuite(terminal, .timeout = 120);

Test(terminal, reads_end_as_the_settings_say)
{
	hub_patch_all();
	in_hub(walk_all, NULL);
	for (size_t i = 0; i < CASES; i++)
		cr_expect(plain[i].length == ours[i].length && plain[i].error == ours[i].error &&
				  strcmp(plain[i].text, ours[i].text) == 0,
			"VMIN %d, VTIME %d, %zu bytes, \"%s\" and then \"%s\": a thread has %zd "
			"\"%s\", a coroutine %zd \"%s\" (%s)",
			cases[i].least, cases[i].tenths, cases[i].length, cases[i].first,
			cases[i].later, plain[i].length, plain[i].text, ours[i].length,
			ours[i].text, strerror(ours[i].error));
	cr_assert_gt(ticks, 50);
}

/* ---- a number that is a pipe's by the time that more is typed ---- */

static struct answer disturbed;
static char left[LENGTH];

static void *
read_disturbed(void *argument)
{
	disturbed.length = read(*(int *)argument, disturbed.text, LENGTH);
	disturbed.error = errno;
	return NULL;
}

static void *
put_a_pipe_there(void *argument)
{
	int terminal[2], ends[2];
	struct hub_coroutine *reader;

	/* Of three, one. */
	make_terminal(12, terminal);
	type(terminal[0], "a");
	reader = hub_spawn(read_disturbed, &terminal[1]);
	hub_sleep(30 * HUB_MILLISECOND);
	pipe(ends);
	dup2(ends[0], terminal[1]);
	write(ends[1], "secret", 6);
	hub_join(reader, NULL);
	read(ends[0], left, LENGTH);
	close(terminal[0]);
	close(terminal[1]);
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(terminal, the_next_one_of_a_number_is_not_read)
{
	hub_patch_all();
	in_hub(put_a_pipe_there, NULL);
	cr_expect(disturbed.length == -1 && disturbed.error == EBADF, "%zd %s", disturbed.length,
		strerror(disturbed.error));
	cr_expect_str_eq(left, "secret");
}

/* ---- signals ---- */

static void
handle(int number)
{
	(void)number;
}

static void *
be_signalled(void *argument)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	struct hub_coroutine *reader;
	int terminal[2];

	/* None, for five seconds. */
	make_terminal(3, terminal);
	sigaction(SIGUSR1, &action, NULL);
	reader = hub_spawn(read_disturbed, &terminal[1]);
	until_it_waits(reader);
	raise(SIGUSR1);
	hub_sleep(10 * HUB_MILLISECOND);
	type(terminal[0], "a");
	hub_join(reader, NULL);
	close(terminal[0]);
	close(terminal[1]);
	return argument;
}

Test(terminal, a_read_with_a_time_is_restarted_too)
{
	hub_patch_all();
	in_hub(be_signalled, NULL);
	cr_expect(disturbed.length == 1, "%zd %s", disturbed.length, strerror(disturbed.error));
}

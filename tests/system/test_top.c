/* hubbub-ctl top, in a terminal. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/server.h"

static struct server server;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(top, .fini = end, .timeout = 600);

/* Starts top in a terminal of that size, "24 cols 100". Returns a FIFO, its keyboard. */
static int
start_top(struct program *top, const char *size)
{
	char *argv[] = {"/usr/bin/script", "-qec", NULL, "/dev/null", NULL};
	char command[400], keys[sizeof server.folder + 8];
	int keyboard;

	if (access(argv[0], X_OK) != 0)
		cr_skip("needs script(1)");
	snprintf(keys, sizeof keys, "%s/keys", server.folder);
	cr_assert_eq(mkfifo(keys, 0600), 0);
	keyboard = open(keys, O_RDWR | O_CLOEXEC);
	snprintf(command, sizeof command, "stty rows %s; TERM=xterm %s --socket %s top <%s", size,
		program_path("hubbub-ctl"), server.control, keys);
	argv[2] = command;
	cr_assert(program_start(top, argv, 0));
	return keyboard;
}

static void
quit_top(struct program *top, int keyboard)
{
	cr_assert_eq(write(keyboard, "q", 1), 1);
	cr_assert_neq(program_wait(top, 20), -1, "%s", top->text);
	program_end(top);
	close(keyboard);
}

Test(top, shows_a_screen)
{
	static char output[PROGRAM_OUTPUT_SIZE];
	struct program top;
	int keyboard;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	keyboard = start_top(&top, "24 cols 100");
	cr_assert(program_expect(&top, "WORKER", 20), "%s", top.text);
	cr_assert(program_expect(&top, "2x1", 20), "%s", top.text);
	quit_top(&top, keyboard);
	cr_assert_eq(
		server_ctl(&server, "top", NULL, output, sizeof output), 1, "without a terminal");
	cr_assert_not_null(strstr(output, "terminal"), "%s", output);
}

/* In a small terminal whole columns are left out; all can be sorted, filtered and explained. */
Test(top, follows_the_keys)
{
	struct program top;
	int keyboard;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	keyboard = start_top(&top, "10 cols 40");
	cr_assert(program_expect(&top, "+6", 20), "%s", top.text);
	cr_assert(program_expect(&top, "h help", 20), "%s", top.text);
	cr_assert_null(strstr(top.text, "LAG"), "%s", top.text);
	cr_assert_eq(write(keyboard, "h", 1), 1);
	cr_assert(program_expect(&top, "KEYS", 20), "%s", top.text);
	cr_assert_eq(write(keyboard, "x>", 2), 2);
	cr_assert(program_expect(&top, "by WORKER", 20), "%s", top.text);
	cr_assert_eq(write(keyboard, "/nosuch\n", 8), 8);
	cr_assert(program_expect(&top, "no line has", 20), "%s", top.text);
	quit_top(&top, keyboard);
}

Test(top, shows_a_worker_that_is_down)
{
	struct program top;
	int keyboard;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	keyboard = start_top(&top, "24 cols 100");
	for (int i = 0; i < 100 && !program_expect(&top, "backing off", .5); i++) {
		pid_t worker = server_worker(&server, 0);

		if (worker > 0)
			kill(worker, SIGKILL);
	}
	cr_assert_not_null(strstr(top.text, "backing off"), "%s", top.text);
	quit_top(&top, keyboard);
}

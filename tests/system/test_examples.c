/* The tutorial's programs (tests/examples), each run with its output checked. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/program.h"

static struct program program;

/* Their output is all that they print: on a busy machine the watchdog has something to say, too. */
static void
begin(void)
{
	setenv("HUBBUB_WATCHDOG", "0", 1);
}

static void
end(void)
{
	program_end(&program);
}

TestSuite(examples, .init = begin, .fini = end, .timeout = 600);

static int __attribute__((sentinel)) run(const char *name, ...)
{
	char *argv[8] = {program_path(name)};
	int count = 1;
	va_list more;

	va_start(more, name);
	while ((argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	cr_assert(program_start(&program, argv, 0));
	return program_wait(&program, 60);
}

Test(examples, generator)
{
	double seconds;
	const char *last;

	cr_assert_eq(run("example-generator", NULL), 0);
	cr_assert_not_null(strstr(program.text, "[PRODUCER] Producing 1...\n"
						"[CONSUMER] Consuming 1...\n"
						"[PRODUCER] Consumer return: 200 OK\n"
						"[PRODUCER] Producing 2...\n"),
		"%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "sum of a million items: 500000500000\n"), "%s", program.text);
	last = strstr(program.text, " s\n");
	while (last > program.text && last[-1] != '\n')
		last--;
	cr_assert_eq(sscanf(last, "%lf s", &seconds), 1);
	cr_assert_lt(seconds, 30, "well under a second, but for sanitizers and busy machines");
}

Test(examples, greenlet)
{
	cr_assert_eq(run("example-greenlet", NULL), 0);
	cr_assert_str_eq(program.text, "egon eats 1\n"
				       "egon plays 1\n"
				       "alex eats 2\n"
				       "egon plays 2\n"
				       "done\n");
}

Test(examples, sleep)
{
	/* The last line is the time that the program took, by its own clock. */
	cr_assert_eq(run("example-sleep", NULL), 0);
	cr_assert_str_eq(program.text, "egon eats 1\n"
				       "egon plays 1\n"
				       "egon plays 2\n"
				       "egon eats 2\n"
				       "main\n"
				       "3 s\n");
}

Test(examples, patched_sleep)
{
	cr_assert_eq(run("example-patched-sleep", NULL), 0);
	cr_assert_str_eq(program.text, "egon eats 1\n"
				       "egon plays 1\n"
				       "egon plays 2\n"
				       "egon eats 2\n"
				       "main\n"
				       "3 s\n");
}

Test(examples, echo_server)
{
	char *argv[] = {program_path("example-echo-server"), "0", NULL};
	int port, fd;

	cr_assert(program_start(&program, argv, 0));
	cr_assert(program_expect(&program, "\n", 10));
	cr_assert_eq(sscanf(program.text, "ready: 127.0.0.1:%d", &port), 1);
	fd = client_connect(port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
	cr_assert_eq(program_stop(&program, SIGTERM, 10), 128 + SIGTERM);
}

Test(examples, five_hundred_clients)
{
	struct program server;
	char port[16];

	cr_assert(program_start_echo(&server, "-p2", "-t2", NULL));
	snprintf(port, sizeof port, "%d", server.port);
	cr_assert_eq(run("example-clients", port, "500", "20", NULL), 0, "%s", program.text);
	cr_assert_str_eq(program.text, "500 clients, 10000 of 10000 exchanges right\n");
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0);
	program_end(&server);
}

Test(examples, five_hundred_clients_of_plain_accept_recv_and_send)
{
	struct program server;
	char *argv[] = {program_path("example-patched-echo-server"), "0", NULL};
	char port[16];
	int number;

	cr_assert(program_start(&server, argv, 0));
	cr_assert(program_expect(&server, "\n", 10));
	cr_assert_eq(sscanf(server.text, "ready: 127.0.0.1:%d", &number), 1);
	snprintf(port, sizeof port, "%d", number);
	cr_assert_eq(run("example-clients", port, "500", "20", NULL), 0, "%s", program.text);
	cr_assert_str_eq(program.text, "500 clients, 10000 of 10000 exchanges right\n");
	cr_assert_eq(program_stop(&server, SIGTERM, 10), 128 + SIGTERM);
	program_end(&server);
}

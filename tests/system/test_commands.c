/* Commands of a service's own: by hubbub-ctl and as pages, and what they meet: workers that are
 * killed, stopped, stuck or replaced, servers that end, clients that go. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/system/changing.h"

TestSuite(commands, .init = changing_begin, .fini = changing_end, .timeout = 300);

static void
start(const char *processes)
{
	cr_assert(server_start(&server, "asked", processes, "1", NULL), "%s", server.program.text);
}

static int
ctl(const char *command, const char *word)
{
	return server_ctl(&server, command, word, output, sizeof output);
}

/* Begins a command whose answer is read later. */
static void
begin(struct program *program, const char *command, const char *word)
{
	char *const words[] = {program_path("hubbub-ctl"), (char *)"-s", server.control,
		(char *)(uintptr_t)command, (char *)(uintptr_t)word, NULL};

	cr_assert(program_start(program, words, 0));
}

/* Waits until workers have begun to rest so many times since the server's start. Most rests have no
 * end of their own: they last until they are interrupted. */
static void
await_rests(unsigned times)
{
	cr_assert(changing_expect("rest begins", times), "%s", server.program.text);
}

static bool
says_x(void *unused)
{
	(void)unused;
	return ctl("say", "x") == 0;
}

/* The page, and a newline, and its code; static until the next call. */
static const char *
page(const char *path)
{
	static char text[8192];
	int code = 0;
	char *body = server_get(&server, path, &code);

	snprintf(text, sizeof text, "%s%d", body != NULL ? body : "nothing ", code);
	free(body);
	return text;
}

Test(commands, are_run_with_their_arguments_whatever_these_are)
{
	start("1");
	cr_assert_eq(ctl("say", NULL), 0);
	cr_assert_str_eq(output, "a worker is asked\ndone\n");
	cr_assert_eq(ctl("say", "a b%20\n\xc3\xa9"), 0);
	cr_assert_not_null(strstr(output, "<a b%20\n\xc3\xa9>\n"), "%s", output);
	cr_assert_eq(ctl("say", ""), 0);
	cr_assert_not_null(strstr(output, "<>\n"), "%s", output);
	cr_assert_eq(ctl("fail", "x"), 1);
	cr_assert_not_null(strstr(output, "half\n"), "%s", output);
	cr_assert_not_null(strstr(output, "hubbub-ctl: there is no key 'x'\n"), "%s", output);
	cr_assert_eq(ctl("refuse", "x"), 2);
	cr_assert_not_null(strstr(output, "hubbub-ctl: 'x' is no KEY\n"), "%s", output);
}

Test(commands, have_as_many_arguments_as_are_given)
{
	char *words[] = {NULL, (char *)"-s", server.control, (char *)"say", (char *)"--",
		(char *)"-a", (char *)"", (char *)"b c", NULL};
	struct program program;

	start("1");
	words[0] = program_path("hubbub-ctl");
	cr_assert(program_start(&program, words, 0));
	cr_assert_eq(program_wait(&program, 20), 0);
	cr_assert_not_null(strstr(program.text, "<-a>\n<>\n<b c>\n"), "%s", program.text);
	program_end(&program);
}

Test(commands, are_listed_by_help_and_unknown_ones_are_bad_usage)
{
	start("1");
	cr_assert_eq(ctl("help", NULL), 0);
	cr_assert_not_null(strstr(output, "  status    print the state"), "%s", output);
	cr_assert_not_null(strstr(output, "  rest      MILLISECONDS: sleep\n"), "%s", output);
	cr_assert_eq(ctl("inssit", NULL), 2);
	cr_assert_not_null(strstr(output, "did you mean insist?"), "%s", output);
}

Test(commands, are_pages_with_the_arguments_of_their_address)
{
	start("1");
	cr_assert_str_eq(page("/say?a=1&b%20c&d+e&&x%3Dy"), "<a=1>\n<b c>\n<d e>\n<>\n<x=y>\n200");
	cr_assert_str_eq(page("/say"), "200");
	cr_assert_str_eq(page("/fail?x"), "there is no key 'x'\n500");
	cr_assert_str_eq(page("/refuse?x"), "'x' is no KEY\n400");
	cr_assert_str_eq(page("/say?a%00"), "an argument has a NUL in it\n400");
	cr_assert_not_null(strstr(page("/where.json"), "\"worker\": 0"));
	/* No page of its own, though a command. */
	cr_assert_str_eq(page("/all"),
		"not found; there are /, /metrics, /livez, /readyz, "
		"/stats.json, /say, /where.json, /fail, /refuse, /rest, /hit, "
		"/much\n404");
}

/* Of the first line of the answer to a request for a page, from a page of that site. */
static int
code_from(const char *site)
{
	char text[256];
	int fd = client_connect(server.admin), code = 0;
	int length = snprintf(text, sizeof text,
		"GET /say HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: %s\r\n\r\n", site);

	cr_assert_eq(send(fd, text, (size_t)length, 0), length);
	length = (int)recv(fd, text, sizeof text - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	close(fd);
	sscanf(text, "HTTP/1.%*d %d", &code);
	return code;
}

/* An image of it, say: the browser sends no Origin. */
Test(commands, are_not_run_for_pages_of_other_sites)
{
	start("1");
	cr_assert_eq(code_from("cross-site"), 403);
	cr_assert_eq(code_from("same-site"), 403);
	cr_assert_eq(code_from("same-origin"), 200);
	cr_assert_eq(code_from("none"), 200);
}

Test(commands, of_each_worker_run_in_each)
{
	start("3");
	cr_assert_eq(ctl("all", NULL), 0, "%s", output);
	for (unsigned i = 0; i < 3; i++) {
		char text[32];

		snprintf(text, sizeof text, "\"worker\": %u", i);
		cr_assert_not_null(strstr(output, text), "%s", output);
	}
}

Test(commands, print_no_more_than_their_limit)
{
	start("1");
	cr_assert_eq(ctl("much", "1048577"), 1);
	cr_assert_not_null(strstr(output, "its output is longer than 1 MiB"), "%s", output);
	cr_assert_not_null(strstr(page("/much?1048577"), "longer than 1 MiB\n500"));
	cr_assert_eq(ctl("much", "1000"), 0);
}

/* Whether both workers have a process; stores their pids. */
static bool
find_both(void *workers)
{
	pid_t *pids = workers;

	for (unsigned i = 0; i < 2; i++)
		pids[i] = server_worker(&server, i);
	return pids[0] > 0 && pids[1] > 0;
}

Test(commands, of_a_worker_that_dies_are_told_so_at_once)
{
	struct program program;
	pid_t workers[2];

	start("2");
	cr_assert_eq(ctl("hit", "9"), 1);
	cr_assert_not_null(strstr(output, "gave no whole answer: it has ended"), "%s", output);
	cr_assert(program_expect(&server.program, "was killed by signal 9", 10));
	/* Of whichever worker, then. */
	cr_assert(wait_until(find_both, workers, 20));
	begin(&program, "rest", NULL);
	await_rests(1);
	for (int i = 0; i < 2; i++)
		kill(workers[i], SIGKILL);
	cr_assert_eq(program_wait(&program, 20), 1);
	cr_assert_not_null(strstr(program.text, "gave no whole answer"), "%s", program.text);
	program_end(&program);
}

/* The master goes on: other commands and pages are answered meanwhile. */
Test(commands, of_a_worker_that_is_stopped_or_stuck_are_given_up)
{
	static const struct {
		const char *command, *word;
	} cases[] = {{"insist", NULL}, {"hit", "19"}};

	start("2");
	for (size_t i = 0; i < 2; i++) {
		struct program program;

		begin(&program, cases[i].command, cases[i].word);
		cr_assert_not_null(strstr(page("/livez"), "200"));
		cr_assert_eq(program_wait(&program, 20), 1);
		cr_assert_not_null(
			strstr(program.text, "has not answered in 5 seconds"), "%s", program.text);
		program_end(&program);
	}
	server_signal_worker(&server, 1, SIGCONT);
}

/* The first hub runs commands: another one that hangs keeps nobody from asking. */
Test(commands, are_run_in_a_worker_whose_other_hubs_hang)
{
	cr_assert(server_start(&server, "asked", "1", "2", "--hang", "--hang-timeout=0", NULL),
		"%s", server.program.text);
	cr_assert(changing_expect("gives no sign of life", 1), "%s", server.program.text);
	cr_assert_eq(ctl("say", "x"), 0, "%s", output);
	cr_assert_eq(ctl("all", NULL), 0, "%s", output);
	cr_assert_not_null(strstr(output, "\"hub\": 0"), "%s", output);
}

/* A worker that is not scheduled for a second is given up by the master before it interrupts. */
static bool
is_interrupted(void *unused)
{
	(void)unused;
	return ctl("rest", NULL) == 1 &&
	       strstr(output, "interrupted: Connection timed out") != NULL;
}

static bool
page_is_interrupted(void *unused)
{
	(void)unused;
	return strcmp(page("/rest"), "interrupted: Connection timed out\n500") == 0;
}

Test(commands, that_take_too_long_are_interrupted_in_their_worker)
{
	start("1");
	cr_assert(wait_until(is_interrupted, NULL, 20), "%s", output);
	cr_assert(wait_until(page_is_interrupted, NULL, 20), "%s", page("/rest"));
}

Test(commands, are_not_answered_by_a_child_that_they_fork)
{
	start("1");
	cr_assert_eq(ctl("stray", NULL), 0, "%s", output);
	cr_assert_str_eq(output, "a worker is asked\nparent\ndone\n");
	cr_assert(program_expect(&server.program, "call _exit there", 20));
}

/* Two at a time; and a reload waits with the former worker for its commands. */
Test(commands, go_on_through_a_reload_and_an_upgrade)
{
	static const char *const changes[] = {"reload", "upgrade"};

	start("1");
	for (size_t i = 0; i < 2; i++) {
		struct program one, other;

		begin(&one, "rest", "1500");
		begin(&other, "rest", "1500");
		await_rests(2 * (unsigned)(i + 1));
		cr_assert_eq(changing_ctl(changes[i]), 0, "%s", output);
		cr_assert_eq(program_wait(&one, 20), 0, "%s", one.text);
		cr_assert_eq(program_wait(&other, 20), 0, "%s", other.text);
		cr_assert_not_null(strstr(one.text, "rested\n"), "%s", one.text);
		program_end(&one);
		program_end(&other);
		cr_assert_eq(ctl("say", "x"), 0);
	}
}

static bool
has_one_connection(void *unused)
{
	(void)unused;
	return server_number(&server, "connections") == 1;
}

/* A client of the former master has begun its request; its next one reaches the new master. */
Test(commands, of_a_page_are_not_run_by_a_master_that_has_handed_over)
{
	static const char half[] = "GET /say?x HTTP/1.1\r\n", rest[] = "Host: localhost\r\n\r\n";
	char text[1024] = "";
	int fd, client;

	start("1");
	/* The former master drains as long as a client has not said anything. */
	client = client_connect(server.program.port);
	cr_assert(wait_until(has_one_connection, NULL, 20));
	fd = client_connect(server.admin);
	cr_assert_eq(send(fd, half, sizeof half - 1, 0), (ssize_t)sizeof half - 1);
	cr_assert_not_null(strstr(page("/livez"), "200"), "the other has been accepted before");
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	cr_assert_eq(send(fd, rest, sizeof rest - 1, 0), (ssize_t)sizeof rest - 1);
	recv(fd, text, sizeof text - 1, MSG_WAITALL);
	close(fd);
	cr_assert_not_null(strstr(text, " 503 "), "%s", text);
	cr_assert_not_null(strstr(text, "Connection: close\r\n"), "%s", text);
	cr_assert_not_null(strstr(text, "another master has taken over; ask again"), "%s", text);
	close(client);
	cr_assert_str_eq(page("/say?x"), "<x>\n200");
}

Test(commands, under_way_are_answered_before_a_drain_ends)
{
	struct program program;

	start("1");
	begin(&program, "rest", "1000");
	await_rests(1);
	kill(server.pid, SIGTERM);
	cr_assert_eq(program_wait(&program, 20), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "rested\n"), "%s", program.text);
	program_end(&program);
	cr_assert_eq(program_wait(&server.program, 20), 0);
}

/* hubbub-ctl does not say that nothing has begun. */
Test(commands, of_a_master_that_is_stopped_may_be_under_way)
{
	struct program program;

	start("1");
	begin(&program, "rest", NULL);
	cr_assert(program_expect(&program, "a worker is asked\n", 20), "%s", program.text);
	kill(server.pid, SIGSTOP);
	cr_assert_eq(program_wait(&program, 40), 1, "%s", program.text);
	kill(server.pid, SIGCONT);
	cr_assert_not_null(strstr(program.text, "does not answer any more"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "may be under way"), "%s", program.text);
	program_end(&program);
}

/* A command that never ends holds a drain no longer than a connection does. */
Test(commands, that_never_end_do_not_keep_the_server)
{
	struct program program;

	cr_assert(server_start(&server, "asked", "1", "1", "--drain-timeout=0.2", NULL));
	begin(&program, "rest", NULL);
	await_rests(1);
	kill(server.pid, SIGTERM);
	cr_assert_eq(program_wait(&program, 20), 1, "%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "interrupted: Operation canceled"), "%s", program.text);
	program_end(&program);
	cr_assert_eq(program_wait(&server.program, 20), 0);
}

/* The worker ends first, or the master does: who waits is told in either case. */
Test(commands, under_way_at_a_stop_are_given_up)
{
	struct program program;

	start("1");
	begin(&program, "rest", NULL);
	await_rests(1);
	cr_assert_eq(changing_ctl("stop"), 0, "%s", output);
	cr_assert_eq(program_wait(&program, 20), 1, "%s", program.text);
	cr_assert(strstr(program.text, "gave no whole answer") != NULL ||
			  strstr(program.text, "interrupted") != NULL ||
			  strstr(program.text, "the server has ended") != NULL,
		"%s", program.text);
	program_end(&program);
}

#define ASKERS 9

Test(commands, have_a_limit_of_how_many_and_clients_that_go_leave_their_places)
{
	struct program programs[ASKERS];
	unsigned refused = 0;

	start("1");
	for (int i = 0; i < ASKERS; i++)
		begin(&programs[i], "rest", "3500");
	for (int i = 0; i < ASKERS; i++) {
		/* One goes, and its command is done all the same. */
		if (i == 0)
			program_stop(&programs[i], SIGKILL, 20);
		else
			program_wait(&programs[i], 30);
		refused += strstr(programs[i].text, "too many commands of the service") != NULL;
		program_end(&programs[i]);
	}
	cr_assert_leq(refused, 1);
	cr_assert(wait_until(says_x, NULL, 20), "%s", output);
}

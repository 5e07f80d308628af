/* Background functions of services: where they run, when they end, and that of the one of the
 * server there are never two. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/turns.h"
#include "tests/system/changing.h"

TestSuite(background, .init = changing_begin, .fini = changing_end, .timeout = 600);

/* ---- where and when they run ---- */

/* A connection that the drain waits for, since it has sent nothing. */
static int
connect_client(void)
{
	int client = client_connect(server.program.port);
	char byte;

	cr_assert_eq(recv(client, &byte, 1, 0), 1);
	return client;
}

Test(background, runs_in_each_hub_each_worker_or_one_worker)
{
	cr_assert(server_start(&server, "hooked", "2", "2", BARE, NULL), "%s", server.program.text);
	cr_assert(changing_expect("one_of_server begins ", 1));
	cr_assert(changing_expect("each_worker begins ", 2));
	cr_assert(changing_expect("each_hub begins ", 4));
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_eq(changing_count("each_hub begins "), 4, "%s", server.program.text);
	cr_assert_eq(changing_count("each_worker begins "), 2, "%s", server.program.text);
	cr_assert_eq(changing_count("each_worker begins 1.0 of 1\n"), 1);
	cr_assert_geq(changing_count("one_of_server begins "), 1);
	cr_assert_eq(
		changing_count(" begins "), changing_count(" ends "), "%s", server.program.text);
}

Test(background, runs_between_the_hooks_of_the_start_and_the_end)
{
	int client;

	cr_assert(server_start(&server, "hooked", "1", "2", BARE, NULL), "%s", server.program.text);
	cr_assert(program_expect(&server.program, "one_of_server begins 0.0 of 1\n", 10));
	client = connect_client();
	kill(server.pid, SIGTERM);
	cr_assert(program_expect(&server.program, "one_of_server ends 0.0 of 1\n", 10));
	cr_assert_eq(changing_count("each_hub ends"), 0, "its connections have not ended");
	cr_assert_eq(changing_count("each_worker ends"), 0);
	close(client);
	cr_assert_eq(program_wait(&server.program, 20), 0);
	cr_assert(changing_is_before("hub_start 0.1", "each_hub begins 0.1"));
	cr_assert(changing_is_before("each_hub ends 0.1 of 1\n", "hub_stop 0.1"));
	cr_assert(changing_is_before("each_worker ends 0.0 of 1\n", "hub_stop 0.0"));
}

/* Connections may use what background functions have. */
Test(background, ends_after_connections_that_have_to_be_killed)
{
	int client;

	cr_assert(server_start(&server, "hooked", "1", "1", BARE, "--drain-timeout=1",
			  "--waits=serve", NULL),
		"%s", server.program.text);
	client = connect_client();
	cr_assert_eq(server_end(&server, 20), 0, "%s", server.program.text);
	close(client);
	cr_assert(changing_is_before("serve ends 0.0 of 1\n", "each_hub ends"), "%s",
		server.program.text);
	cr_assert(changing_is_before("serve ends 0.0 of 1\n", "each_worker ends"));
	cr_assert(changing_is_before("each_hub ends", "hub_stop 0.0"));
}

Test(background, does_not_run_in_a_worker_that_cannot_start)
{
	struct program program;
	char *const command[] = {
		program_path("hooked"), "-p", "1", "-t", "2", "--fails=hub_start", NULL};

	cr_assert(program_start(&program, command, 0));
	cr_assert_eq(program_wait(&program, 20), 1, "%s", program.text);
	cr_assert_null(strstr(program.text, "begins"), "%s", program.text);
	program_end(&program);
}

Test(background, that_does_not_end_does_not_outlive_the_deadline_and_is_named)
{
	static const char *const functions[] = {
		"--hangs=each_hub", "--hangs=each_worker", "--hangs=one_of_server"};

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		const char *name = strchr(functions[i], '=') + 1;
		const char *where = i == 0 ? " of hub 0" : "";
		char said[80];

		cr_assert(server_start(&server, "hooked", "1", "1", "--drain-timeout=1",
				  functions[i], NULL),
			"%s", server.program.text);
		snprintf(said, sizeof said, "%s begins", name);
		cr_assert(program_expect(&server.program, said, 10));
		cr_assert_eq(server_end(&server, 20), 0, "%s", server.program.text);
		snprintf(said, sizeof said, "background %s%s of worker 0 has not returned in time",
			name, where);
		cr_assert_not_null(strstr(server.program.text, said), "%s", server.program.text);
		server_clean(&server);
	}
}

Test(background, is_shown_by_name_among_the_stacks)
{
	cr_assert(server_start(&server, "hooked", "1", "1", NULL), "%s", server.program.text);
	cr_assert(program_expect(&server.program, "one_of_server begins", 10));
	cr_assert_eq(changing_ctl("stacks"), 0, "%s", output);
	cr_assert_not_null(strstr(output, "\"one_of_server\""), "%s", output);
	cr_assert_not_null(strstr(output, "keeper of one_of_server"), "%s", output);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* ---- never two ---- */

#define PATIENCE 30 /* seconds */
#define PAUSE 1000  /* milliseconds; much less than the hang timeout and a drain's end */

static char turns[128];
static pid_t holder; /* before the event */

static void
change(const char *command, const char *more)
{
	cr_assert_eq(server_ctl(&server, command, more, output, sizeof output), 0, "%s: %s",
		command, output);
	server.pid = (pid_t)server_number(&server, "pid");
}

static void
reload(void)
{
	change("reload", NULL);
}

static void
upgrade(void)
{
	change("upgrade", NULL);
}

static void
scale_up(void)
{
	change("scale", "3x2");
}

static void
scale_down(void)
{
	change("scale", "1x2");
}

static void
scale_to_threads(void)
{
	change("scale", "2x1");
}

static void
kill_holder(void)
{
	kill(holder, SIGKILL);
}

static void
kill_another(void)
{
	pid_t first = server_worker(&server, 0);

	kill(first != holder ? first : server_worker(&server, 1), SIGKILL);
}

/* On a busy machine a pause may last so long that the holder is killed: only then another may have
 * it. */
static void
assert_is_held(const char *why)
{
	pid_t last = turns_last(turns);

	cr_assert(last == holder || program_is_gone(&holder), "%s", why);
}

static void
pause_holder(void)
{
	kill(holder, SIGSTOP);
	poll(NULL, 0, PAUSE);
	assert_is_held("a holder that stands still holds it");
	kill(holder, SIGCONT);
}

static void
stop_holder(void)
{
	kill(holder, SIGSTOP);
}

static bool
trouble_is_taken(void *path)
{
	return access(path, F_OK) != 0;
}

/* Has the function do that. */
static void
trouble(const char *what)
{
	char written[140], path[140];
	FILE *file;

	snprintf(written, sizeof written, "%s.written", turns);
	snprintf(path, sizeof path, "%s.trouble", turns);
	file = fopen(written, "we");
	cr_assert_not_null(file);
	fputs(what, file);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(rename(written, path), 0);
	cr_assert(wait_until(trouble_is_taken, path, PATIENCE));
}

static void
crash(void)
{
	trouble("crashes");
}

static void
block(void)
{
	trouble("blocks");
}

static void
fail(void)
{
	trouble("fails");
}

/* The worker is killed after its drain deadline. */
static void
stay_in_a_reload(void)
{
	trouble("stays");
	reload();
	poll(NULL, 0, PAUSE);
	assert_is_held("one that has not ended holds it");
}

static const struct event {
	const char *name;
	void (*happens)(void);
	bool may_stay; /* the holder */
} events[] = {
	{"kill of the holder", kill_holder, false},
	{"pause of the holder", pause_holder, true},
	{"reload", reload, false},
	{"scale up", scale_up, true},
	{"kill of another worker", kill_another, true},
	{"holder that is hung", stop_holder, false},
	{"upgrade", upgrade, false},
	{"failure", fail, true},
	{"reload with a function that stays", stay_in_a_reload, false},
	{"function that blocks its hub", block, false},
	{"crash of the function", crash, false},
	{"scale of threads", scale_to_threads, false},
	{"another upgrade", upgrade, false},
	{"scale down", scale_down, true},
	{"kill of the only worker", kill_holder, false},
};

static unsigned counted;

static bool
has_turn(void *event)
{
	bool may_stay = ((const struct event *)event)->may_stay;

	return turns_count(turns) > counted && (may_stay || turns_last(turns) != holder);
}

static void
expect_turn(const struct event *event)
{
	counted = turns_count(turns);
	cr_assert(wait_until(has_turn, (void *)event, PATIENCE), "%s: %s", event->name,
		server.program.text);
	cr_assert(turns_are_alone(turns), "%s: two at once", event->name);
}

Test(background, the_one_of_the_server_is_never_two)
{
	static const struct event start = {"start", NULL, false};
	char option[140];

	snprintf(turns, sizeof turns, "%s/turns", folder);
	snprintf(option, sizeof option, "--turns=%s", turns);
	cr_assert(server_start(&server, "turns", "2", "2", option,
			  program_is_sanitized() ? "--hang-timeout=12" : "--hang-timeout=4",
			  "--drain-timeout=1", NULL),
		"%s", server.program.text);
	expect_turn(&start);
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		holder = turns_last(turns);
		events[i].happens();
		expect_turn(&events[i]);
	}
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert(turns_are_alone(turns));
}

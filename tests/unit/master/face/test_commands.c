#include "master/face/commands.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "master/face/client.h"
#include "master/face/requests.h"
#include "master/start/options.h"
#include "tests/unit/master/quiet.h"

#include <sys/socket.h>
#include <unistd.h>

/* Sends a line to the server's side; what it answers at once. */
static void
ask(struct quiet *quiet, const char *line, char answer[static 512])
{
	struct requests requests;
	ssize_t length;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	requests_init(&requests, &quiet->master);
	requests_take(&requests, pair[1], RIGHTS_ALL);
	send(pair[0], line, strlen(line), 0);
	send(pair[0], "\n", 1, 0);
	ev_run(quiet->master.loop, EVRUN_NOWAIT);
	length = recv(pair[0], answer, 511, 0);
	answer[length > 0 ? length : 0] = '\0';
	requests_fini(&requests);
	close(pair[0]);
}

Test(commands, each_is_found_by_its_name_alone)
{
	for (size_t i = 0; i < COMMAND_MAX; i++) {
		const struct command *command = &commands_table[i];

		cr_assert_eq(commands_find(command->name), command);
		for (const char *at = command->name; *at != '\0'; at++)
			cr_assert(islower(*at), "%s", command->name);
		/* The column that the help of hubbub-ctl has for it. */
		cr_assert_leq(strlen(command->name), 9, "%s", command->name);
		cr_assert_gt(strlen(command->help), 0, "%s", command->name);
	}
	cr_assert_null(commands_find(""));
	cr_assert_null(commands_find("scal"));
	cr_assert_null(commands_find("scale 2x4"));
}

Test(commands, the_list_names_each)
{
	char all[COMMANDS_LIST_SIZE];

	commands_list(all);
	cr_assert_str_eq(all,
		"status, help, wait, scale, reload, upgrade, drain, stop, stacks, trace and top");
}

/* A master that has handed over says so to whatever it knows and may not do any more. */
Test(commands, the_server_knows_each_but_those_of_hubbub_ctl)
{
	struct quiet quiet;
	char answer[512];

	quiet_set(&quiet);
	quiet.master.phase = MASTER_HANDED_OVER;
	for (size_t i = 0; i < COMMAND_MAX; i++) {
		const struct command *command = &commands_table[i];

		ask(&quiet, command->name, answer);
		if (command->kind == COMMAND_ANSWERS)
			cr_assert_eq(*answer, '|', "%s: %s", command->name, answer);
		else if (commands_is_own(command))
			cr_assert(strstr(answer, "?there is no command '"), "%s: %s", command->name,
				answer);
		else
			cr_assert_str_eq(answer, "!another master has just taken over; ask again\n",
				"%s: %s", command->name, answer);
	}
	quiet_clear(&quiet);
}

static const struct {
	const char *line;
	const char *error;
} wrong[] = {
	{"", "?there is no command ''; see hubbub-ctl help\n"},
	{"restart", "?there is no command 'restart'; see hubbub-ctl help\n"},
	{"scale", "!scale takes PROCESSESxTHREADS, each from 1 to 1024, such as 2x4\n"},
	{"scale 0x1", "!scale takes PROCESSESxTHREADS, each from 1 to 1024, such as 2x4\n"},
	{"scale 1x1025", "!scale takes PROCESSESxTHREADS, each from 1 to 1024, such as 2x4\n"},
	{"scale 1024x1024", "!more than 2000 hubs are not supported\n"},
	{"reload now", "!reload takes no argument\n"},
	{"upgrade 2", "!upgrade takes no argument\n"},
	{"drain 5", "!drain takes no argument\n"},
	{"stop x", "!stop takes no argument\n"},
	{"stacks all", "!stacks takes no argument\n"},
	{"status  ", "!status takes no argument\n"},
};

Test(commands, what_is_wrong_is_refused_and_changes_nothing)
{
	struct quiet quiet;
	char answer[512];

	quiet_set(&quiet);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ask(&quiet, wrong[i].line, answer);
		cr_assert_str_eq(answer, wrong[i].error, "'%s': %s", wrong[i].line, answer);
		cr_assert_eq(quiet.master.change, CHANGE_NONE);
		cr_assert_eq(quiet.master.phase, MASTER_SERVING);
	}
	quiet_clear(&quiet);
}

Test(commands, what_needs_no_change_is_done_at_once)
{
	struct quiet quiet;
	char answer[512];

	quiet_set(&quiet);
	ask(&quiet, "scale 2x1", answer);
	cr_assert_str_eq(answer, "+done\n");
	quiet_clear(&quiet);
}

/* What hubbub-ctl and the server look at before a command is sent, and run. */
Test(commands, arguments_are_checked)
{
	static const struct {
		const char *text;
		unsigned processes, threads; /* 0 if it is no shape */
	} shapes[] = {{"2x4", 2, 4}, {"1x1", 1, 1}, {"1024x1024", 1024, 1024}, {"", 0, 0},
		{"2", 0, 0}, {"2x", 0, 0}, {"x4", 0, 0}, {"2x4x1", 0, 0}, {"2x4 ", 0, 0},
		{"0x4", 0, 0}, {"2x0", 0, 0}, {"4294967298x1", 0, 0}, {"2x-4294967295", 0, 0},
		{" 2x4", 0, 0}, {"+2x4", 0, 0}, {"1025x1", 0, 0}, {"1x1025", 0, 0}, {"-1x1", 0, 0}};
	char error[COMMANDS_ERROR_SIZE];

	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		unsigned processes = 0, threads = 0;
		int expected = shapes[i].processes > 0 ? 0 : -1;

		cr_assert_eq(commands_read_shape(shapes[i].text, &processes, &threads), expected,
			"%s", shapes[i].text);
		cr_assert(expected != 0 ||
			  (processes == shapes[i].processes && threads == shapes[i].threads));
		cr_assert_eq(commands_check(&commands_table[COMMAND_scale], shapes[i].text, error),
			expected, "%s", shapes[i].text);
	}
	for (size_t i = 0; i < COMMAND_MAX; i++)
		if (commands_table[i].argument == COMMAND_NOTHING) {
			cr_assert_eq(commands_check(&commands_table[i], "", error), 0);
			cr_assert_eq(commands_check(&commands_table[i], "2x4", error), -1);
			cr_assert(strstr(error, commands_table[i].name));
		}
}

/* The table of commands.h, and what server and hubbub-ctl must agree on: finding a command,
 * checking its argument, and the texts of errors. */
#include "master/face/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/base/values.h"
#include "master/start/options.h"

#define ROW(name, argument, kind, help) {#name, COMMAND_##argument, COMMAND_##kind, help},

const struct command commands_table[COMMAND_MAX] = {COMMANDS(ROW)};

#define LENGTH(name, argument, kind, help) +sizeof #name + sizeof " and"

_Static_assert(COMMANDS(LENGTH) < COMMANDS_LIST_SIZE, "the list of all commands has room");
_Static_assert(OPTIONS_PROCESSES_MAX == OPTIONS_THREADS_MAX, "the error has one limit for both");

const struct command *
commands_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_MAX; i++)
		if (strcmp(commands_table[i].name, name) == 0)
			return &commands_table[i];
	return NULL;
}

bool
commands_is_own(const struct command *command)
{
	return command->kind == COMMAND_WATCHES || command->kind == COMMAND_WAITS;
}

void
commands_list(char list[static COMMANDS_LIST_SIZE])
{
	int length = 0;

	for (size_t i = 0; i < COMMAND_MAX; i++)
		length += snprintf(list + length, COMMANDS_LIST_SIZE - (size_t)length, "%s%s",
			i == 0                 ? ""
			: i + 1 == COMMAND_MAX ? " and "
					       : ", ",
			commands_table[i].name);
}

void
commands_print(FILE *stream)
{
	for (size_t i = 0; i < COMMAND_MAX; i++)
		fprintf(stream, "  %-9s %s\n", commands_table[i].name, commands_table[i].help);
}

int
commands_read_shape(const char *text, unsigned *processes, unsigned *threads)
{
	return values_read_pair(text, 'x', OPTIONS_PROCESSES_MAX, processes, threads) &&
			       *processes > 0 && *threads > 0
		       ? 0
		       : -1;
}

int
commands_read_seconds(const char *text, int64_t *nanoseconds)
{
	return values_read_time(text, nanoseconds) && *nanoseconds > 0 &&
			       *nanoseconds <= COMMANDS_SECONDS_MOST * CLOCK_SECOND
		       ? 0
		       : -1;
}

int
commands_check(
	const struct command *command, const char *argument, char error[static COMMANDS_ERROR_SIZE])
{
	unsigned processes, threads;
	int64_t nanoseconds;

	switch (command->argument) {
	case COMMAND_NOTHING:
		if (argument[0] == '\0')
			return 0;
		snprintf(error, COMMANDS_ERROR_SIZE, "%s takes no argument", command->name);
		return -1;
	case COMMAND_SHAPE:
		if (commands_read_shape(argument, &processes, &threads) == 0)
			return 0;
		snprintf(error, COMMANDS_ERROR_SIZE,
			"%s takes PROCESSESxTHREADS, each from 1 to %d, such as 2x4", command->name,
			OPTIONS_PROCESSES_MAX);
		return -1;
	case COMMAND_SECONDS:
		if (argument[0] == '\0' || commands_read_seconds(argument, &nanoseconds) == 0)
			return 0;
		snprintf(error, COMMANDS_ERROR_SIZE,
			"%s takes seconds, above 0 and up to %d, such as 0.5", command->name,
			COMMANDS_SECONDS_MOST);
		return -1;
	}
	return 0;
}

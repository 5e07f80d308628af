/* hubbub-ctl: talks to a running server. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/ctl/dialogue.h"
#include "master/ctl/top.h"
#include "master/ctl/view.h"

#define USAGE_EXIT 2
#define KEY_JSON 256

struct request {
	const char *socket;
	const char *command;
	const char *argument;
	bool json;
};

static const struct {
	const char *name;
	const char *help;
	bool takes_argument;
	bool ends; /* the server ends by it */
} commands[] = {
	{"status", "print the state; exits 0 only when the server is ready", false, false},
	{"scale", "change to PROCESSESxTHREADS, such as 2x4; returns when it is so", true, false},
	{"reload", "replace all workers, reading the options and @FILEs again", false, false},
	{"upgrade", "let the program that is now in its place take over", false, false},
	{"drain", "stop gracefully; returns when the server has ended", false, true},
	{"stop", "stop at once", false, true},
	{"stacks", "print every coroutine of every hub, and where it waits", false, false},
	{"top", "watch it on the whole screen", false, false},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct argp_option options[] = {
	{"socket", 's', "PATH", 0,
		"The server's control socket; needed only if several servers run here", 0},
	{"json", KEY_JSON, NULL, 0, "With status: as JSON", 0},
	{0},
};

/* The help lists the commands of the table. */
static char *
filter_help(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t length;
	FILE *stream;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	stream = open_memstream(&help, &length);
	if (stream == NULL)
		return NULL;
	fprintf(stream, "Commands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stream, "  %-9s %s\n", commands[i].name, commands[i].help);
	fclose(stream);
	return help;
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 's':
		request->socket = value;
		return 0;
	case KEY_JSON:
		request->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (request->command == NULL)
			request->command = value;
		else if (request->argument == NULL)
			request->argument = value;
		else
			argp_error(state, "'%s' is one argument too many", value);
		return 0;
	case ARGP_KEY_END:
		if (request->command == NULL)
			argp_error(state, "no command; there are status, scale, reload, upgrade, "
					  "drain, stop, stacks and top");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static size_t
find_command(const struct request *request)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, request->command) == 0)
			return i;
	fprintf(stderr, "hubbub-ctl: there is no command '%s'; see --help\n", request->command);
	exit(USAGE_EXIT);
}

static void
check_argument(const struct request *request, size_t command)
{
	unsigned processes, threads;
	char rest;

	if (!commands[command].takes_argument && request->argument != NULL) {
		fprintf(stderr, "hubbub-ctl: %s takes no argument\n", request->command);
		exit(USAGE_EXIT);
	}
	if (commands[command].takes_argument &&
		(request->argument == NULL ||
			sscanf(request->argument, "%ux%u%c", &processes, &threads, &rest) != 2 ||
			processes == 0 || threads == 0 || processes > 1024 || threads > 1024)) {
		fprintf(stderr,
			"hubbub-ctl: %s takes PROCESSESxTHREADS, each from 1 to 1024, such as "
			"2x4\n",
			request->command);
		exit(USAGE_EXIT);
	}
}

static void
hear(char kind, const char *line, void *context)
{
	const struct request *request = context;
	json_t *state;

	if (kind == '-') {
		fprintf(stderr, "%s\n", line);
		return;
	}
	state = strcmp(request->command, "status") == 0 && !request->json
			? json_loads(line, 0, NULL)
			: NULL;
	if (state != NULL)
		view_print(stdout, state);
	else
		printf("%s\n", line);
	json_decref(state);
}

static int
run(const struct request *request, size_t command, const char *path)
{
	char line[256], message[1024];
	bool is_status = strcmp(request->command, "status") == 0;
	int result;

	if (strcmp(request->command, "top") == 0) {
		result = top_run(path, message, sizeof message);
	} else {
		snprintf(line, sizeof line, "%s%s%s", request->command,
			request->argument != NULL ? " " : "",
			request->argument != NULL ? request->argument : "");
		result = dialogue_run(path, line, is_status ? DIALOGUE_STATUS_TIME : DIALOGUE_TIME,
			commands[command].ends, hear, (void *)(uintptr_t)request, message,
			sizeof message);
	}
	/* Where both go to one place, the last word comes last. */
	fflush(stdout);
	if (result != 0)
		fprintf(stderr, "hubbub-ctl: %s\n", message);
	else if (is_status)
		return strcmp(message, "ready") == 0 ? 0 : 1;
	else if (strcmp(request->command, "top") != 0)
		fprintf(stderr, "%s\n", message);
	return result;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {.options = options,
		.parser = parse_option,
		.args_doc = "COMMAND [ARGUMENT]",
		.doc = "Talks to a running server that was built with hubbub.\v",
		.help_filter = filter_help};
	struct request request = {0};
	char path[DIALOGUE_PATH_SIZE], error[1200];
	size_t command;

	argp_program_version = "hubbub-ctl " HUBBUB_VERSION;
	argp_err_exit_status = USAGE_EXIT;
	argp_parse(&argp, argc, argv, 0, NULL, &request);
	command = find_command(&request);
	check_argument(&request, command);
	if (request.socket != NULL)
		return run(&request, command, request.socket);
	if (dialogue_find(path, error, sizeof error) != 0) {
		fprintf(stderr, "hubbub-ctl: %s\n", error);
		return 1;
	}
	return run(&request, command, path);
}

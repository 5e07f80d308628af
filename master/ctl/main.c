/* hubbub-ctl: sends commands to a running server by its control socket.
 *
 * The table of commands (master/face/commands.h) decides what is accepted, sent and listed in the
 * help. A command that is not there may be one of the server's service: the server is asked. Output
 * goes to standard output, progress and last lines to standard error. Exit codes: 0 done (status:
 * ready), 1 failed (status: not ready), 2 bad usage. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/base/commit.h"
#include "master/base/nearest.h"
#include "master/base/output.h"
#include "master/base/oversize.h"
#include "master/base/values.h"
#include "master/ctl/await.h"
#include "master/ctl/dialogue.h"
#include "master/ctl/plain.h"
#include "master/ctl/top.h"
#include "master/ctl/trace.h"
#include "master/ctl/view.h"
#include "master/face/commands.h"

#define USAGE_EXIT 2
#define KEY_JSON 256
#define KEY_TIMEOUT 257
#define KEY_HELP_ALL 258
#define KEY_LIMIT 259
#define KEY_SUMMARY 260
#define LIMIT_LEAST ((uint64_t)64 << 10)
#define TIMEOUT 3600    /* seconds */
#define WAIT_TIMEOUT 60 /* seconds for a server to become ready */
#define ARGUMENTS_MAX 64

/* What the command line asks for. */
struct request {
	const char *socket;                   /* NULL: to be found */
	pid_t pid;                            /* of the server's master; 0: none was named */
	const char *name;                     /* of the command */
	const char *arguments[ARGUMENTS_MAX]; /* of the command */
	size_t count;
	bool json;
	int timeout; /* seconds; 0: none was given */
	struct trace trace;
	const struct command *command; /* of that name; NULL: perhaps one of the service's own */
};

static const struct argp_option options[] = {
	{"socket", 's', "PATH", 0,
		"The server's control socket; needed only if several servers run here, or if "
		"--control set another path",
		0},
	{"pid", 'p', "PID", 0, "The pid of the server's master, instead of --socket", 0},
	{"json", KEY_JSON, NULL, 0, "With status: print JSON", 0},
	{"timeout", KEY_TIMEOUT, "SECONDS", 0,
		"Time for the whole command (default 3600; of wait, 60); the server goes on with "
		"what it has begun. A server that does not answer at all is given up sooner",
		0},
	{"output", 'o', "FILE", 0,
		"With trace: the file, - for standard output (default trace-PID.json)", 0},
	{"limit", KEY_LIMIT, "SIZE", 0,
		"With trace: the most bytes of the file, 64K or more (default 256M)", 0},
	{"summary", KEY_SUMMARY, NULL, 0,
		"With trace: print where time went, and the slowest requests, instead of the file",
		0},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0},
	/* As the other programs have; here --help lists all, too. */
	{"help-all", KEY_HELP_ALL, NULL, OPTION_HIDDEN, NULL, 0},
	{0},
};

/* Names the option that is nearest to an unknown one, which argp does not; exits with 2. */
static void
check_names(char *const *argv)
{
	const char *names[sizeof options / sizeof options[0] + 3] = {"help", "usage", "version"};
	size_t count = 3;
	char error[256];

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (options[i].name != NULL)
			names[count++] = options[i].name;
	for (argv++; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
		if (!nearest_check(*argv, names, NULL, error, sizeof error)) {
			output_complain("%s", error);
			exit(USAGE_EXIT);
		}
}

/* Appends the table of commands to the help. */
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
	commands_print(stream);
	fprintf(stream, "\nExamples:\n"
			"  hubbub-ctl --pid 123 status\n"
			"  hubbub-ctl scale 2x4\n");
	fclose(stream);
	return help;
}

static void
complain_of_none(struct argp_state *state)
{
	char list[COMMANDS_LIST_SIZE];

	commands_list(list);
	argp_error(state, "no command; there are %s", list);
}

/* The first word is the command; no command of every server's takes more than one argument. */
static void
add_word(struct request *request, const char *word, const struct argp_state *state)
{
	if (request->name == NULL) {
		request->name = word;
		request->command = commands_find(word);
	} else if (request->count < (request->command != NULL ? 1 : ARGUMENTS_MAX)) {
		request->arguments[request->count++] = word;
	} else {
		argp_error(state, "'%s' is one argument too many", word);
	}
}

static bool
is_status(const struct request *request)
{
	return request->command == &commands_table[COMMAND_status];
}

static bool
is_trace(const struct request *request)
{
	return request->command == &commands_table[COMMAND_trace];
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	struct request *request = state->input;
	uint64_t number = 0;

	switch (key) {
	case 's':
		request->socket = value;
		return 0;
	case 'p':
		if (!values_read_plain(value, INT_MAX, &number) || number == 0)
			argp_error(state, "--pid: '%s' is not a process id", value);
		request->pid = (pid_t)number;
		return 0;
	case KEY_JSON:
		request->json = true;
		return 0;
	case KEY_TIMEOUT:
		if (!values_read_plain(value, INT_MAX / 1000, &number) || number == 0)
			argp_error(state, "--timeout: '%s' is not a number of seconds from 1 up",
				value);
		request->timeout = (int)number;
		return 0;
	case 'o':
		request->trace.path = value;
		return 0;
	case KEY_LIMIT:
		if (!values_read_size(value, &number) || number < LIMIT_LEAST)
			argp_error(state, "--limit: '%s' is not a size from 64K up", value);
		request->trace.limit = number;
		return 0;
	case KEY_SUMMARY:
		request->trace.is_summed_up = true;
		return 0;
	case 'h':
	case KEY_HELP_ALL:
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		add_word(request, value, state);
		return 0;
	case ARGP_KEY_END:
		if (request->name == NULL)
			complain_of_none(state);
		if (request->socket != NULL && request->pid != 0)
			argp_error(state, "--socket and --pid both name the server");
		if ((request->trace.path != NULL || request->trace.limit != 0 ||
			    request->trace.is_summed_up) &&
			!is_trace(request))
			argp_error(state, "--output, --limit and --summary are for trace alone");
		if (request->json && !is_status(request))
			argp_error(state, "--json is for status alone");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *
nearest_command(const char *word)
{
	const char *names[COMMAND_MAX + 1] = {NULL};

	for (size_t i = 0; i < COMMAND_MAX; i++)
		names[i] = commands_table[i].name;
	return nearest_name(word, names);
}

/* No server is there to be asked whether its service has such a command. Returns the exit code. */
static int
complain_of_unknown(const struct request *request)
{
	const char *nearest = nearest_command(request->name);

	if (nearest != NULL)
		output_complain(
			"there is no command '%s'; did you mean %s?", request->name, nearest);
	else
		output_complain("there is no command '%s'; see --help", request->name);
	return USAGE_EXIT;
}

/* Checks the argument of a command of every server's; exits with 2 if it is wrong. */
static void
check_argument(const struct request *request)
{
	char error[COMMANDS_ERROR_SIZE];

	if (request->command == NULL ||
		commands_check(request->command, request->count > 0 ? request->arguments[0] : "",
			error) == 0)
		return;
	output_complain("%s", error);
	exit(USAGE_EXIT);
}

/* Appends a word to a line, with %20 for a space, and so on. Returns the line's end; or NULL if
 * there is no room, or if end is NULL. */
static char *
append_word(char *line, char *end, const char *word)
{
	for (; end != NULL && *word != '\0'; word++) {
		bool is_plain = *word > ' ' && *word <= '~' && *word != '%';

		if (end + 4 > line + COMMANDS_LINE_SIZE)
			return NULL;
		end += sprintf(end, is_plain ? "%c" : "%%%02X", (unsigned char)*word);
	}
	return end;
}

/* Writes the line that asks for the command; exits with 2 if it is too long. */
static void
write_line(const struct request *request, char line[static COMMANDS_LINE_SIZE])
{
	char *end = append_word(line, line, request->name);

	for (size_t i = 0; i < request->count; i++) {
		if (end != NULL && end + 2 <= line + COMMANDS_LINE_SIZE)
			end = stpcpy(end, " ");
		end = append_word(line, end, request->arguments[i]);
	}
	if (end != NULL && end + 1 < line + COMMANDS_LINE_SIZE)
		return;
	output_complain("the arguments are longer than %d bytes together", COMMANDS_LINE_SIZE);
	exit(USAGE_EXIT);
}

/* Prints the state for people. Control characters are replaced only after JSON was decoded, because
 * any of them can be escaped there. Returns false if out of memory. */
static bool
print_state(const json_t *state)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	bool is_whole = false;

	if (stream != NULL) {
		view_print(stream, state);
		is_whole = fclose(stream) == 0;
	}
	if (is_whole) {
		plain(text);
		fputs(text, stdout);
	}
	free(text);
	return is_whole;
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
	state = is_status(request) && !request->json ? json_loads(line, 0, NULL) : NULL;
	if (state == NULL || !print_state(state))
		printf("%s\n", line);
	json_decref(state);
}

/* Returns the exit code. */
static int
record(const struct request *request, struct dialogue *dialogue)
{
	struct trace trace = request->trace;
	int result;

	trace.seconds = request->count > 0 ? request->arguments[0] : "";
	if (trace.limit == 0)
		trace.limit = TRACE_LIMIT;
	result = trace_run(&trace, dialogue);
	fflush(stdout);
	if (result != 0)
		output_complain("%s", trace.message);
	else
		fprintf(stderr, "%s\n", trace.message);
	return result;
}

/* Sends the command to the server at that path, and prints the answer. Returns the exit code. */
static int
run(const struct request *request, const char *path)
{
	enum command_kind kind =
		request->command != NULL ? request->command->kind : COMMAND_ANSWERS;
	char line[COMMANDS_LINE_SIZE];
	struct dialogue dialogue = {.path = path,
		.request = line,
		.patience = is_status(request) ? DIALOGUE_STATUS_PATIENCE : DIALOGUE_PATIENCE,
		.limit = request->timeout != 0 ? request->timeout : TIMEOUT,
		.ends = kind == COMMAND_ENDS,
		.hear = hear,
		.context = (void *)(uintptr_t)request};
	int result;

	if (kind == COMMAND_RECORDS)
		return record(request, &dialogue);
	write_line(request, line);
	result = kind == COMMAND_WATCHES ? top_run(&dialogue) : dialogue_run(&dialogue);
	/* If both streams go to the same place, the last line must come last. */
	fflush(stdout);
	if (result != 0)
		output_complain("%s", dialogue.message);
	else if (is_status(request))
		return strcmp(dialogue.message, "ready") == 0 ? 0 : 1;
	else if (kind != COMMAND_WATCHES)
		fprintf(stderr, "%s\n", dialogue.message);
	return result;
}

/* Returns the exit code. */
static int
wait_until_ready(const struct request *request)
{
	char message[DIALOGUE_MESSAGE_SIZE];
	int result = await_ready(request->socket, request->pid,
		request->timeout != 0 ? request->timeout : WAIT_TIMEOUT, message, sizeof message);

	if (result != 0)
		output_complain("%s", message);
	else
		fprintf(stderr, "%s\n", message);
	return result;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {.options = options,
		.parser = parse_option,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = "Talks to a running server that was built with hubbub.\v",
		.help_filter = filter_help};
	struct request request = {.timeout = 0};
	char path[DIALOGUE_PATH_SIZE], error[2400], version[128];
	int found;

	output_guard();
	oversize_survive();
	snprintf(version, sizeof version, "hubbub-ctl %s%s", HUBBUB_VERSION, commit_text());
	argp_program_version = version;
	argp_err_exit_status = USAGE_EXIT;
	/* argp's errors begin with argv[0]: the name that --help shows, however the program was
	 * called. */
	argv[0] = program_invocation_short_name;
	check_names(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &request);
	check_argument(&request);
	if (request.command != NULL && request.command->kind == COMMAND_WAITS)
		return wait_until_ready(&request);
	if (request.socket != NULL)
		return run(&request, request.socket);
	found = dialogue_find(request.pid, path, error, sizeof error);
	if (found == 0)
		return run(&request, path);
	if (found == DIALOGUE_NONE && request.command == NULL)
		return complain_of_unknown(&request);
	output_complain("%s", error);
	return 1;
}

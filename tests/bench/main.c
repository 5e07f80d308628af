/* hubbub-bench: benchmarks of the runtime, each beside its peers in the same run, interleaved. */
#include <argp.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/output.h"
#include "tests/bench/bench.h"

static const struct {
	const char *name;
	int (*run)(const struct bench_options *options);
	const char *help;
} commands[] = {
	{"hub", bench_hub, "switches, yields, spawns, parked memory, beside Boost and ucontext"},
	{"park", bench_park, "a million parked coroutines in one process"},
	{"echo", bench_echo, "hubbub-echo beside a hand-written epoll loop"},
	{"lines", bench_lines, "lines by streams, beside Go's bufio and gevent's makefile"},
	{"peers", bench_peers, "the same echo in every framework that is installed"},
	{"seats", bench_seats, "what each further hub costs a connect and the master"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const char *command;

static const struct argp_option option_table[] = {
	{"json", 'j', NULL, 0, "Print one JSON object a line", 0},
	{"rounds", 'r', "N", 0, "Measure each N times and take medians", 0},
	{"seconds", 's', "S", 0, "Seconds of each measurement in echo, lines (0.5) and peers (1)",
		0},
	{"only", 'o', "NAME", 0, "Run only what has NAME in its name", 0},
	{"html", 'H', "FILE", 0, "Write a page with plots (peers)", 0},
	{0},
};

static error_t
parse(int key, char *value, struct argp_state *state)
{
	struct bench_options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'r':
		options->rounds = (unsigned)atoi(value);
		if (options->rounds == 0)
			argp_error(state, "--rounds: '%s' is not a number from 1", value);
		return 0;
	case 's':
		options->seconds = atof(value);
		if (!(options->seconds > 0))
			argp_error(state, "--seconds: '%s' is not a number above 0", value);
		return 0;
	case 'o':
		options->only = value;
		return 0;
	case 'H':
		options->html = value;
		return 0;
	case ARGP_KEY_ARG:
		if (command != NULL)
			argp_error(state, "one command at a time");
		command = value;
		return 0;
	case ARGP_KEY_END:
		if (command == NULL)
			argp_error(state, "name a command: hub, park, echo, lines, peers or seats");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void
bench_print(const struct bench_options *options, const char *name, double value, const char *unit,
	const char *note)
{
	if (!options->json) {
		printf("%-34s %12.3f %-6s %s\n", name, value, unit, note != NULL ? note : "");
	} else {
		json_t *object =
			json_pack("{s:s, s:f, s:s}", "name", name, "value", value, "unit", unit);

		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	}
	fflush(stdout);
}

void
bench_say(const struct bench_options *options, const char *format, ...)
{
	va_list arguments;

	if (options->json)
		return;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {option_table, parse, "hub|park|echo|lines|peers|seats",
		"Benchmarks of hubbub beside its peers.\v"
		"hub: switches, yields, spawns and parked memory (under 40 s).\n"
		"park: a million parked coroutines in one process (4.5 GB).\n"
		"echo: hubbub-echo and a hand-written epoll loop, alternately, on one core.\n"
		"lines: lines of 32 bytes, 16 deep, on one core.\n"
		"peers: hubbub-echo and every peer that is installed, one after the other, on one "
		"core "
		"(7 minutes).\n"
		"seats: connects, and the master's calls, with 1 to 2000 hubs' sockets (10 s).",
		NULL, NULL, NULL};
	struct bench_options options = {0};

	output_guard();
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(command, commands[i].name) == 0)
			return commands[i].run(&options);
	fprintf(stderr,
		"hubbub-bench: '%s' is not a command; there are hub, park, echo, lines, peers and "
		"seats\n",
		command);
	return 2;
}

#include "tests/load/options.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/arguments.h"
#include "tests/load/complete.h"
#include "tests/load/field.h"
#include "tests/load/value.h"

enum key {
	KEY_RATE = 'R',
	KEY_CONNECTIONS = 'c',
	KEY_THREADS = 't',
	KEY_PROCESSES = 'p',
	KEY_SIZE = 's',
	KEY_DURATION = 'd',
	KEY_COUNT = 'n',
	KEY_OUTPUT = 'o',
	KEY_INTERVAL = 'i',
	KEY_QUIET = 'q',
	KEY_VERBOSE = 'v',
	KEY_HELP = 'h',
	KEY_VERSION = 'V',
	KEY_ARRIVALS = 256,
	KEY_CLOSED,
	KEY_SEARCH,
	KEY_CONNECT_RATE,
	KEY_CONNECT_TIMEOUT,
	KEY_IDLE,
	KEY_CHURN,
	KEY_LIFETIME,
	KEY_CLOSE,
	KEY_SOURCE,
	KEY_SLOW,
	KEY_FRAMING,
	KEY_VERIFY,
	KEY_MAX_INFLIGHT,
	KEY_OVERLOAD,
	KEY_TIMEOUT,
	KEY_DEADLINE,
	KEY_NODELAY,
	KEY_SNDBUF,
	KEY_RCVBUF,
	KEY_SEED,
	KEY_WARMUP,
	KEY_REPEAT,
	KEY_COOLDOWN,
	KEY_JSON,
	KEY_STREAM,
	KEY_HDR,
	KEY_HTML,
	KEY_PERCENTILES,
	KEY_UNIT,
	KEY_PLAIN,
	KEY_COLOR,
	KEY_FAIL_IF,
	KEY_ALLOW_ERRORS,
	KEY_ALLOW_PARTIAL,
	KEY_ABORT_IF,
	KEY_SAVE_BASELINE,
	KEY_BASELINE,
	KEY_MAX_REGRESS,
	KEY_CPUS,
	KEY_SPIN,
	KEY_KERNEL_TS,
	KEY_MAX_LAG,
	KEY_SERVER_STATS,
	KEY_PRINT_CONFIG,
	KEY_GRID,
	KEY_ROUNDS,
	KEY_MAX
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0,
		"Load shape (without one: closed loop, one message in flight per connection)", 1},
	{"rate", KEY_RATE, "RATE", 0,
		"Open loop, messages per second in all: 50k | 10k..200k (linear) | 10k:200k/10k@5s "
		"(staircase)",
		1},
	{"arrivals", KEY_ARRIVALS, "KIND", 0, "uniform | poisson | burst:N (uniform)", 1},
	{"closed", KEY_CLOSED, "DEPTH", OPTION_ARG_OPTIONAL,
		"Send the next when a reply arrives; DEPTH in flight per connection (1)", 1},
	{"search", KEY_SEARCH, "EXPR", 0,
		"Find the highest rate that keeps EXPR, such as 'p99<2ms,errors=0'", 1},
	{NULL, 0, NULL, 0, "Connections", 2},
	{"connections", KEY_CONNECTIONS, "N", 0, "Active connections (64)", 2},
	{"threads", KEY_THREADS, "N|auto", 0,
		"Threads in each generator process (auto: half of the CPUs)", 2},
	{"processes", KEY_PROCESSES, "N|auto", 0,
		"Generator processes (auto: as many as the file limit asks for)", 2},
	{"connect-rate", KEY_CONNECT_RATE, "N", 0, "Connects per second (20k)", 2},
	{"connect-timeout", KEY_CONNECT_TIMEOUT, "T", 0, "Time for each connect (3s)", 2},
	{"idle", KEY_IDLE, "N", 0, "More connections, only held, and probed once at the end (0)",
		2},
	{"churn", KEY_CHURN, "N", 0,
		"Close and reopen after N messages; 0: connect and close only (off)", 2},
	{"lifetime", KEY_LIFETIME, "T", 0, "Close and reopen after T (off)", 2},
	{"close", KEY_CLOSE, "HOW", 0, "fin | rst (leaves no TIME_WAIT) | half (fin)", 2},
	{"source", KEY_SOURCE, "ADDRS", 0,
		"Source addresses: A.B.C.D/LEN, FIRST-LAST or a list with commas (as needed on "
		"loopback)",
		2},
	{"slow", KEY_SLOW, "N@RATE", 0, "N of the connections read only RATE bytes per second (0)",
		2},
	{NULL, 0, NULL, 0, "Messages", 3},
	{"size", KEY_SIZE, "SPEC", 0,
		"Bytes: 64 | 16-4096 | exp:512 | 64:90,1Ki:10 (weights) | @FILE of SIZE WEIGHT "
		"(64)",
		3},
	{"framing", KEY_FRAMING, "KIND", 0,
		"raw | line (ends with a newline) | len32 (begins with 4 bytes of length) (raw)",
		3},
	{"verify", KEY_VERIFY, "WHAT", 0, "full | header | none (full)", 3},
	{"max-inflight", KEY_MAX_INFLIGHT, "N", 0,
		"Messages unanswered per connection in an open loop (1024)", 3},
	{"overload", KEY_OVERLOAD, "queue|shed", 0, "What happens to those beyond it (queue)", 3},
	{"timeout", KEY_TIMEOUT, "T", 0, "For a reply, from the actual send (5s)", 3},
	{"deadline", KEY_DEADLINE, "T", 0,
		"Do not send what is later than T after its intended time (off)", 3},
	{"nodelay", KEY_NODELAY, "on|off", 0, "TCP_NODELAY (on)", 3},
	{"sndbuf", KEY_SNDBUF, "SIZE", 0, "Send buffer of each socket (the kernel's)", 3},
	{"rcvbuf", KEY_RCVBUF, "SIZE", 0, "Receive buffer of each socket (the kernel's)", 3},
	{"seed", KEY_SEED, "N", 0, "Of arrivals, sizes and payload (1)", 3},
	{NULL, 0, NULL, 0, "Duration", 4},
	{"duration", KEY_DURATION, "T", 0, "How long, without the warm-up (10s)", 4},
	{"count", KEY_COUNT, "N", 0, "How many messages in all, instead", 4},
	{"warmup", KEY_WARMUP, "T", 0,
		"Load before it, of which only what goes wrong counts (1s; 0 with a count)", 4},
	{"repeat", KEY_REPEAT, "N", 0, "Run N times (1)", 4},
	{"cooldown", KEY_COOLDOWN, "T", 0, "Pause between runs (1s)", 4},
	{NULL, 0, NULL, 0, "Output (times: ns us ms s m h; numbers: k M G, Ki Mi Gi)", 5},
	{"output", KEY_OUTPUT, "FILE", 0, "Write the result as JSON ('-': stdout)", 5},
	{"json", KEY_JSON, NULL, 0, "The same as -o -", 5},
	{"stream", KEY_STREAM, "FILE", 0, "Write a line of JSON for each interval", 5},
	{"interval", KEY_INTERVAL, "T", 0, "Length of an interval (1s)", 5},
	{"hdr", KEY_HDR, "FILE", 0, "Write the response times as an .hgrm spectrum", 5},
	{"html", KEY_HTML, "FILE", 0, "Write a page with plots", 5},
	{"percentiles", KEY_PERCENTILES, "LIST", 0, "To show (50,90,99,99.9,99.99)", 5},
	{"unit", KEY_UNIT, "auto|us|ms", 0, "Of times (auto)", 5},
	{"plain", KEY_PLAIN, NULL, 0, "A line for each interval, on a terminal too", 5},
	{"no-progress", KEY_PLAIN, NULL, OPTION_ALIAS, NULL, 5},
	{"quiet", KEY_QUIET, NULL, 0, "Only the result", 5},
	{"verbose", KEY_VERBOSE, NULL, 0, "Also every generator thread and run", 5},
	{"color", KEY_COLOR, "WHEN", 0, "auto | always | never (auto; NO_COLOR is obeyed)", 5},
	{NULL, 0, NULL, 0, "Gates: p99>2ms, error_rate>0.1%, rate_ratio<0.99, mps<900k, ...", 6},
	{"fail-if", KEY_FAIL_IF, "EXPR", 0, "Exit with 3 if EXPR holds; may be repeated (errors>0)",
		6},
	{"abort-if", KEY_ABORT_IF, "EXPR", 0, "Stop when it holds in 3 intervals in a row", 6},
	{"allow-errors", KEY_ALLOW_ERRORS, NULL, 0, "Drop the gate errors>0", 6},
	{"allow-partial", KEY_ALLOW_PARTIAL, NULL, 0, "Accept fewer connections than asked for", 6},
	{"save-baseline", KEY_SAVE_BASELINE, "NAME", 0, "Keep the result under NAME", 6},
	{"baseline", KEY_BASELINE, "NAME", 0,
		"Compare with it, and exit with 3 on a regression (use --repeat=5)", 6},
	{"max-regress", KEY_MAX_REGRESS, "PERCENT", 0, "What is no regression yet (5%)", 6},
	{NULL, 0, NULL, 0, "The generator", 7},
	{"cpus", KEY_CPUS, "LIST", 0, "Pin threads to these CPUs in turn: 1,3,4-7", 7},
	{"spin", KEY_SPIN, NULL, 0,
		"Wait for the next message busily: most exact, a CPU per thread", 7},
	{"kernel-ts", KEY_KERNEL_TS, NULL, 0,
		"Take the time of arrival from the kernel, not from when the reply was read", 7},
	{"max-lag", KEY_MAX_LAG, "T|PERCENT", 0,
		"Invalid if the p99 of send lag is more, as a time or of the response's p99 (10%); "
		"a pause of "
		"250 ms, or of this time if more, is always",
		7},
	{"server-stats", KEY_SERVER_STATS, "ADDR", 0,
		"Put the server's own counters, from its --admin ADDR, into the result", 7},
	{"print-config", KEY_PRINT_CONFIG, NULL, 0, "Print the options in force and exit", 7},
	{NULL, 0, NULL, 0, "Sweep", 8},
	{"grid", KEY_GRID, "LIST", 0, "Processes x threads to try: 1x1,1x2,2x1 (up to the CPUs)",
		8},
	{"rounds", KEY_ROUNDS, "N", 0, "How often to go round the grid (3)", 8},
	{NULL, 0, NULL, 0, "Help", -1},
	{"help", KEY_HELP, NULL, 0, "Print this", -1},
	{"help-all", KEY_HELP, NULL, OPTION_ALIAS, NULL, -1},
	{"version", KEY_VERSION, NULL, 0, "Print the version", -1},
	{0},
};

#define OPTIONS (sizeof option_table / sizeof option_table[0])

struct parse {
	struct load *load;
	enum options_purpose purpose;
	bool has_warmup;
	bool has_duration;
	bool has_connect_rate;
	bool has_closed;
	bool prints_config;
};

/* ---- argp ---- */

static void
parse_connections(struct parse *parse, int key, char *value)
{
	struct load *load = parse->load;

	switch (key) {
	case KEY_CONNECTIONS:
		load->connections = value_whole("connections", value, 0, LOAD_CONNECTIONS_MAX);
		break;
	case KEY_THREADS:
		load->threads = strcmp(value, "auto") == 0
					? 0
					: value_whole("threads", value, 1, LOAD_THREADS_MAX);
		break;
	case KEY_PROCESSES:
		load->processes = strcmp(value, "auto") == 0
					  ? 0
					  : value_whole("processes", value, 1, LOAD_PROCESSES_MAX);
		break;
	case KEY_CONNECT_RATE:
		load->connect_rate = value_number("connect-rate", value, 1, 1e9);
		parse->has_connect_rate = true;
		break;
	case KEY_CONNECT_TIMEOUT:
		load->connect_timeout = value_time("connect-timeout", value, 1);
		break;
	case KEY_IDLE:
		load->idle = value_whole("idle", value, 0, LOAD_CONNECTIONS_MAX);
		break;
	case KEY_CHURN:
		load->churn = value_whole("churn", value, 0, 4000000000);
		break;
	case KEY_LIFETIME:
		load->lifetime = value_time("lifetime", value, CLOCK_MILLISECOND);
		break;
	case KEY_CLOSE:
		load->close = value_word("close", value, load_close_names, LOAD_CLOSE_MAX);
		break;
	case KEY_SOURCE:
		field_sources(load, value);
		break;
	case KEY_SLOW:
		field_slow(load, value);
		break;
	}
}

static void
parse_messages(struct parse *parse, int key, char *value)
{
	static const char *const switches[] = {"on", "off"};
	static const char *const overloads[] = {"queue", "shed"};
	struct load *load = parse->load;

	switch (key) {
	case KEY_SIZE:
		field_size(load, value);
		break;
	case KEY_FRAMING:
		load->framing =
			value_word("framing", value, message_framing_names, MESSAGE_FRAMING_MAX);
		break;
	case KEY_VERIFY:
		load->verify =
			value_word("verify", value, message_verify_names, MESSAGE_VERIFY_MAX);
		break;
	case KEY_MAX_INFLIGHT:
		load->max_inflight = value_whole("max-inflight", value, 1, 1000000);
		break;
	case KEY_OVERLOAD:
		load->sheds = value_word("overload", value, overloads, 2) == 1;
		break;
	case KEY_TIMEOUT:
		load->timeout = value_time("timeout", value, CLOCK_MILLISECOND);
		break;
	case KEY_DEADLINE:
		load->deadline = value_time("deadline", value, 1);
		break;
	case KEY_NODELAY:
		load->nodelay = value_word("nodelay", value, switches, 2) == 0;
		break;
	case KEY_SNDBUF:
		load->send_buffer = (int)value_whole("sndbuf", value, 1, 1 << 30);
		break;
	case KEY_RCVBUF:
		load->receive_buffer = (int)value_whole("rcvbuf", value, 1, 1 << 30);
		break;
	case KEY_SEED:
		load->seed = (uint64_t)value_number("seed", value, 0, 1e15);
		break;
	}
}

static void
parse_duration(struct parse *parse, int key, char *value)
{
	struct load *load = parse->load;

	switch (key) {
	case KEY_DURATION:
		load->duration = value_time("duration", value, CLOCK_MILLISECOND);
		parse->has_duration = true;
		break;
	case KEY_COUNT:
		load->count = (uint64_t)value_number("count", value, 1, 1e15);
		break;
	case KEY_WARMUP:
		load->warmup = value_time("warmup", value, 0);
		parse->has_warmup = true;
		break;
	case KEY_REPEAT:
		load->repeat = value_whole("repeat", value, 1, 1000);
		break;
	case KEY_COOLDOWN:
		load->cooldown = value_time("cooldown", value, 0);
		break;
	}
}

static void
parse_output(struct parse *parse, int key, char *value)
{
	struct load *load = parse->load;

	switch (key) {
	case KEY_OUTPUT:
		load->output = value;
		break;
	case KEY_JSON:
		load->output = "-";
		break;
	case KEY_STREAM:
		load->stream = value;
		break;
	case KEY_HDR:
		load->hdr = value;
		break;
	case KEY_HTML:
		load->html = value;
		break;
	case KEY_INTERVAL:
		load->interval = value_time("interval", value, 1);
		if (load->interval < 10 * CLOCK_MILLISECOND)
			value_refuse("--interval: '%s' is less than 10ms", value);
		break;
	case KEY_PERCENTILES:
		field_percentiles(load, value);
		break;
	case KEY_UNIT:
		load->unit = value_word("unit", value, units_time_names, UNITS_TIME_MAX);
		break;
	case KEY_PLAIN:
		load->is_plain = true;
		break;
	case KEY_QUIET:
		load->is_quiet = true;
		break;
	case KEY_VERBOSE:
		load->is_verbose = true;
		break;
	case KEY_COLOR:
		load->color = value_word("color", value, load_color_names, LOAD_COLOR_MAX);
		break;
	}
}

static void
parse_gates(struct parse *parse, int key, char *value)
{
	struct load *load = parse->load;

	switch (key) {
	case KEY_FAIL_IF:
		field_gate("fail-if", value, load->fail_if, &load->fail_if_count);
		break;
	case KEY_ABORT_IF:
		field_gate("abort-if", value, load->abort_if, &load->abort_if_count);
		break;
	case KEY_ALLOW_ERRORS:
		load->allows_errors = true;
		break;
	case KEY_ALLOW_PARTIAL:
		load->allows_partial = true;
		break;
	case KEY_SAVE_BASELINE:
		load->save_baseline = value_name("save-baseline", value);
		break;
	case KEY_BASELINE:
		load->baseline = value_name("baseline", value);
		break;
	case KEY_MAX_REGRESS:
		load->max_regress = value_share("max-regress", value);
		break;
	}
}

static void
parse_shape(struct parse *parse, int key, char *value)
{
	struct load *load = parse->load;
	unsigned count = 0;

	switch (key) {
	case KEY_RATE:
		field_rate(load, value);
		break;
	case KEY_ARRIVALS:
		if (!plan_read_arrivals(value, &load->arrivals, &load->burst))
			value_refuse("--arrivals: '%s' is not uniform, poisson or burst:N", value);
		value_copy("arrivals", value, load->arrivals_text, sizeof load->arrivals_text);
		break;
	case KEY_CLOSED:
		parse->has_closed = true;
		load->depth = value == NULL ? 1 : value_whole("closed", value, 1, 1000000);
		break;
	case KEY_SEARCH:
		field_gate("search", value, &load->search, &count);
		break;
	case KEY_CPUS:
		field_cpus(load, value);
		break;
	case KEY_SPIN:
		load->spins = true;
		break;
	case KEY_KERNEL_TS:
		load->kernel_times = true;
		break;
	case KEY_MAX_LAG:
		field_max_lag(load, value);
		break;
	case KEY_SERVER_STATS:
		field_server_stats(load, value);
		break;
	case KEY_PRINT_CONFIG:
		parse->prints_config = true;
		break;
	case KEY_GRID:
		field_grid(load, value);
		break;
	case KEY_ROUNDS:
		load->rounds = value_whole("rounds", value, 1, 100);
		break;
	}
}

static bool
is_command(const char *word)
{
	static const char *const commands[] = {
		"run", "search", "sweep", "compare", "report", "check"};

	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(word, commands[i]) == 0)
			return true;
	return false;
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;

	if (key == KEY_HELP) {
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	}
	if (key == KEY_VERSION) {
		printf("hubbub-load %s\n", HUBBUB_VERSION);
		exit(LOAD_DONE);
	}
	if (key == ARGP_KEY_ARG) {
		if (parse->purpose == OPTIONS_RUN && state->arg_num == 0 && is_command(value))
			value_refuse(
				"a command comes before all options: hubbub-load %s ...", value);
		if (parse->purpose == OPTIONS_SEARCH && parse->load->search.count == 0)
			parse_shape(parse, KEY_SEARCH, value);
		else
			field_target(parse->load, value);
		return 0;
	}
	if (key <= 0 || key >= KEY_MAX || (key > 127 && key < KEY_ARRIVALS))
		return ARGP_ERR_UNKNOWN;
	parse_shape(parse, key, value);
	parse_connections(parse, key, value);
	parse_messages(parse, key, value);
	parse_duration(parse, key, value);
	parse_output(parse, key, value);
	parse_gates(parse, key, value);
	return 0;
}

/* ---- the whole ---- */

static void
check_messages(const struct load *load)
{
	uint32_t least = sizes_least(&load->sizes);

	if (load->framing == MESSAGE_LEN32 && least < 5)
		value_refuse(
			"--framing=len32: messages have at least 5 bytes, not %u (--size)", least);
	if (load->framing == MESSAGE_LINE && least < 2)
		value_refuse(
			"--framing=line: messages have at least 2 bytes, not %u (--size)", least);
	if (load->verify == MESSAGE_HEADER && least < MESSAGE_HEAD + 4)
		value_refuse("--verify=header: messages below %d bytes have no header (--size)",
			MESSAGE_HEAD + 4);
}

static void
check_shape(const struct parse *parse)
{
	const struct load *load = parse->load;
	bool has_plan = load->is_open || load->search.count > 0 || parse->purpose == OPTIONS_SWEEP;

	if (load->search.count > 0 && load->is_open)
		value_refuse("--search finds the rate: leave --rate out");
	if (load->search.count > 0 &&
		(load->hdr != NULL || load->html != NULL || load->stream != NULL ||
			load->baseline != NULL || load->save_baseline != NULL ||
			load->fail_if_count > 0 || load->abort_if_count > 0 || load->repeat > 1))
		value_refuse("--search takes no --hdr, --html, --stream, --repeat, gates or "
			     "baselines of "
			     "its "
			     "runs; run the rate that it finds");
	if (!has_plan && strcmp(load->arrivals_text, "uniform") != 0)
		value_refuse("--arrivals: a closed loop has no plan; add --rate");
	if (!has_plan && load->deadline != LOAD_NEVER)
		value_refuse("--deadline: a closed loop has no plan; add --rate");
	if (load->is_open && parse->has_closed)
		value_refuse("--closed and --rate are two load shapes: choose one");
	if (parse->purpose == OPTIONS_SWEEP &&
		(load->hdr != NULL || load->stream != NULL || load->baseline != NULL ||
			load->save_baseline != NULL || load->repeat > 1))
		value_refuse("sweep takes no --hdr, --stream, --repeat or baselines");
	if (parse->purpose == OPTIONS_SWEEP && load->is_open && load->rate.form != PLAN_CONSTANT)
		value_refuse("sweep: --rate is the common rate of all shapes, so a constant one");
}

/* Two formats cannot share stdout. */
static void
check_stdout(const struct load *load)
{
	const char *const paths[] = {load->output, load->stream, load->hdr, load->html};
	unsigned count = 0;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		count += paths[i] != NULL && strcmp(paths[i], "-") == 0;
	for (size_t i = 0; i < 4; i++)
		for (size_t k = i + 1; k < 4; k++)
			if (paths[i] != NULL && paths[k] != NULL && strcmp(paths[i], "-") != 0 &&
				strcmp(paths[i], paths[k]) == 0)
				value_refuse("two outputs go to %s", paths[i]);
	if (count > 1)
		value_refuse(
			"only one of --output, --stream, --hdr and --html can go to stdout ('-')");
}

/* Connections alone have no messages to say anything of. */
static void
check_knocks(const struct load *load)
{
	if (strcmp(load->sizes_text, "64") != 0 || load->lifetime != LOAD_NEVER || load->slow > 0 ||
		load->close == LOAD_CLOSE_HALF || load->deadline != LOAD_NEVER)
		value_refuse(
			"--churn=0 sends no messages: it goes without --size, --lifetime, --slow, "
			"--deadline and --close=half");
}

/* A gate that could never be breached would only seem to guard something. */
static void
check_gates(const struct load *load)
{
	for (unsigned i = 0; i < load->fail_if_count && !load->is_open; i++)
		if (gate_uses_lag(&load->fail_if[i]))
			value_refuse("--fail-if: '%s': a closed loop has no lag; add --rate",
				load->fail_if[i].text);
}

static void
check_whole(struct parse *parse)
{
	struct load *load = parse->load;

	if (load->count != 0 && load->is_open && load->rate.form != PLAN_CONSTANT)
		value_refuse("--count goes with a constant --rate; a ramp or staircase needs "
			     "--duration");
	if (load->count != 0 && !parse->has_duration)
		load->duration = LOAD_NEVER;
	/* Of an even plan it is known how long so many messages take. */
	if (load->count != 0 && load->is_open && load->arrivals != PLAN_POISSON &&
		(double)load->count / load->rate.from * 1e9 < (double)load->duration)
		load->duration = (int64_t)ceil((double)load->count / load->rate.from * 1e9);
	if (!parse->has_warmup && load->count != 0)
		load->warmup = 0;
	check_shape(parse);
	check_stdout(load);
	if (load->connections == 0 && load->is_open)
		value_refuse("--connections=0 has nothing to send on: leave --rate out");
	if (load->connections > 0 && load->connections < load->target_count)
		value_refuse("--connections=%u leaves some of the %u targets without any",
			load->connections, load->target_count);
	check_gates(load);
	if (load->connections == 0 && load->idle == 0)
		value_refuse("--connections=0 needs --idle");
	if (load->slow > load->connections)
		value_refuse("--slow: %u are more than the %u connections", load->slow,
			load->connections);
	if (load->churn == 0)
		check_knocks(load);
	load->limits_reconnects = parse->has_connect_rate;
	load->rate.warmup = (double)load->warmup / 1e9;
	load->rate.duration = load->duration == LOAD_NEVER ? 1e9 : (double)load->duration / 1e9;
	check_messages(load);
}

static _Noreturn void
refuse_without_target(enum options_purpose purpose)
{
	if (purpose == OPTIONS_SWEEP)
		fprintf(stderr, "hubbub-load: sweep needs the server's command after --\n"
				"  hubbub-load sweep --grid 1x1,1x2,2x1,2x2 -- hubbub-echo\n");
	else
		fprintf(stderr,
			"hubbub-load: which server? Name it as HOST:PORT\n"
			"  hubbub-load 127.0.0.1:9090             closed loop, 10 s\n"
			"  hubbub-load -R 50k 127.0.0.1:9090      50000 messages a second, on "
			"time\n"
			"See hubbub-load --help.\n");
	exit(LOAD_USAGE);
}

static void
check_names(int argc, char **argv)
{
	const char *names[OPTIONS + 1];
	char error[256];
	size_t count = 0;

	for (size_t i = 0; i < OPTIONS; i++)
		if (option_table[i].name != NULL)
			names[count++] = option_table[i].name;
	names[count] = NULL;
	if (!arguments_check_names(argc, argv, names, error, sizeof error))
		value_refuse("%s", error);
}

static void
set_defaults(struct load *load, enum options_purpose purpose)
{
	*load = (struct load){.depth = 1,
		.arrivals_text = "uniform",
		.connections = 64,
		.connect_rate = 20000,
		.connect_timeout = 3 * CLOCK_SECOND,
		.churn = -1,
		.lifetime = LOAD_NEVER,
		.sizes = {.low = 64},
		.sizes_text = "64",
		.max_inflight = 1024,
		.timeout = 5 * CLOCK_SECOND,
		.deadline = LOAD_NEVER,
		.nodelay = true,
		.seed = 1,
		.warmup = CLOCK_SECOND,
		.duration = (purpose == OPTIONS_SEARCH || purpose == OPTIONS_SWEEP ? 3 : 10) *
			    CLOCK_SECOND,
		.repeat = 1,
		.cooldown = CLOCK_SECOND,
		.interval = CLOCK_SECOND,
		.percentiles = {50, 90, 99, 99.9, 99.99},
		.percentile_count = 5,

		.max_regress = 0.05,
		.max_lag_share = 0.1,
		.rounds = 3};
}

void
options_parse(struct load *load, int argc, char **argv, enum options_purpose purpose)
{
	static const char usage[] = "[run] HOST:PORT...\n"
				    "search EXPR HOST:PORT\n"
				    "sweep [--grid LIST] -- SERVER [OPTION...]\n"
				    "compare BASE.json NEW.json...\n"
				    "report RESULT.json [-o PAGE.html]\n"
				    "check HOST:PORT";
	static const char description[] =
		"Loads an echo service, checks every byte that comes back, and tells the truth "
		"about its own part.\v"
		"Exit codes: 0 done, 1 could not run, 2 usage, 3 a gate was breached, 4 the "
		"measurement is invalid, 5 wrong bytes came back, 130 and 143 interrupted.\n\n"
		"Examples:\n"
		"  hubbub-load 127.0.0.1:9090\n"
		"  hubbub-load -R 50k --fail-if 'p99>2ms' 127.0.0.1:9090\n"
		"  hubbub-load search 'p99<2ms,errors=0' 127.0.0.1:9090\n"
		"  hubbub-load -c 100 --idle 50k 127.0.0.1:9090\n"
		"  hubbub-load sweep --grid 1x1,2x1,2x2 -- hubbub-echo";
	static const struct argp argp = {
		option_table, parse_option, usage, description, NULL, NULL, NULL};
	struct parse parse = {.load = load, .purpose = purpose};
	int own = argc;

	set_defaults(load, purpose);
	load->argc = argc;
	load->argv = argv;
	/* What follows -- is the server's. */
	if (purpose == OPTIONS_SWEEP)
		for (own = 0; own < argc && strcmp(argv[own], "--") != 0; own++)
			continue;
	if (own < argc)
		load->server = argv + own + 1;
	check_names(own, argv);
	argp_err_exit_status = LOAD_USAGE;
	argp_parse(&argp, own, argv, ARGP_NO_HELP, NULL, &parse);
	if (purpose == OPTIONS_SWEEP ? load->server == NULL || load->server[0] == NULL
				     : load->target_count == 0)
		refuse_without_target(purpose);
	if (purpose == OPTIONS_SWEEP && load->target_count > 0)
		value_refuse(
			"sweep starts the server itself: '%s' is not needed", load->target_text[0]);
	if (purpose == OPTIONS_SEARCH && load->search.count == 0)
		value_refuse(
			"search needs what is to be kept: hubbub-load search 'p99<2ms' HOST:PORT");
	check_whole(&parse);
	if (parse.prints_config) {
		if (purpose != OPTIONS_SWEEP)
			complete_load(load);
		complete_print(load);
		exit(LOAD_DONE);
	}
}

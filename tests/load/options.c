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
#include "tests/load/options_table.h"
#include "tests/load/value.h"

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
	case KEY_TLS:
		load->has_tls = true;
		break;
	case KEY_TLS_CA:
		load->authorities = value_name("tls-ca", value);
		break;
	case KEY_TLS_INSECURE:
		load->trusts_anybody = true;
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

/* Lasts as long as the process. */
static struct hub_tls *client_tls;

static void
free_client_tls(void)
{
	hub_tls_free(client_tls);
}

static void
check_tls(struct load *load)
{
	if (!load->has_tls && (load->authorities != NULL || load->trusts_anybody))
		value_refuse("--tls-ca and --tls-insecure need --tls");
	if (!load->has_tls)
		return;
	if (load->is_datagrams)
		value_refuse("--tls does not go with udp: targets");
	for (unsigned i = 0; i < load->target_count; i++)
		if (load->targets[i].kind == ADDRESS_UNIX)
			value_refuse("--tls does not go with %s", load->target_text[i]);
	if (load->kernel_times)
		value_refuse("--kernel-ts does not go with --tls: a record may come in parts");
	load->tls = client_tls = hub_tls_client_new(load->authorities);
	atexit(free_client_tls);
	if (load->tls == NULL)
		value_refuse("--tls-ca: %s", hub_tls_why());
	if (load->trusts_anybody)
		hub_tls_trust_anybody(load->tls);
}

#define DATAGRAM_MOST 65507 /* what IP leaves */

static void
check_datagrams(struct load *load)
{
	unsigned count = 0;

	for (unsigned i = 0; i < load->target_count; i++)
		count += load->targets[i].kind == ADDRESS_UDP;
	if (count == 0)
		return;
	if (count < load->target_count)
		value_refuse("udp: targets and others do not go together");
	load->is_datagrams = true;
	if (sizes_least(&load->sizes) < MESSAGE_HEAD || sizes_most(&load->sizes) > DATAGRAM_MOST)
		value_refuse("--size: datagrams have %d to %d bytes here: replies that come in "
			     "another order are told apart by their first %d",
			MESSAGE_HEAD, DATAGRAM_MOST, MESSAGE_HEAD);
	if (load->framing != MESSAGE_RAW)
		value_refuse("--framing: a datagram needs none");
	if (load->idle > 0)
		value_refuse("--idle: there is no connection to hold with udp: targets");
	if (load->churn == 0)
		value_refuse("--churn=0: there is no handshake with udp: targets");
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
	check_datagrams(load);
	check_tls(load);
}

static _Noreturn void
refuse_without_target(enum options_purpose purpose)
{
	if (purpose == OPTIONS_SWEEP)
		fprintf(stderr, "hubbub-load: sweep needs the server's command after --\n"
				"  hubbub-load sweep --grid 1x1,1x2,2x1,2x2 -- hubbub-echo\n");
	else
		fprintf(stderr,
			"hubbub-load: which server? Name it as HOST:PORT, udp:HOST:PORT or "
			"unix:PATH\n"
			"  hubbub-load 127.0.0.1:9090             closed loop, 10 s\n"
			"  hubbub-load -R 50k 127.0.0.1:9090      50000 messages a second, on "
			"time\n"
			"See hubbub-load --help.\n");
	exit(LOAD_USAGE);
}

static void
check_names(int argc, char **argv)
{
	const char *names[OPTIONS_TABLE_MAX + 1];
	char error[256];
	size_t count = 0;

	for (size_t i = 0; options_table[i].name != NULL || options_table[i].doc != NULL; i++)
		if (options_table[i].name != NULL)
			names[count++] = options_table[i].name;
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
	static const char usage[] = "[run] [udp:]HOST:PORT|unix:PATH...\n"
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
		options_table, parse_option, usage, description, NULL, NULL, NULL};
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

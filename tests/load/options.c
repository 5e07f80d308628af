#include "tests/load/options.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/table.h"
#include "tests/load/complete.h"
#include "tests/load/field.h"
#include "tests/load/options_table.h"
#include "tests/load/refuse.h"

#define PREFIX "HUBBUB_LOAD_" /* of variables of the environment */

/* One reading of a command line; the table's context. */
struct parse {
	struct table table;
	struct hubbub_option *rows; /* the table's */
	struct load *load;
	enum options_purpose purpose;
};

/* Of this process's load, for the rest of its life: the load borrows from them. */
static struct arguments arguments;
static struct table_givens givens;

/* Wrong usage of one option, which is named as it was given. */
#define refuse_of(parse, name, ...)                                                                \
	(table_complain_of(&(parse)->table, name, __VA_ARGS__), refuse("%s", (parse)->table.error))
#define named(parse, name) table_named(&(parse)->table, name, (char[TABLE_NAMED_SIZE]){0})

/* ---- arguments ---- */

static const char *const commands[] = {
	"run", "search", "sweep", "compare", "report", "check", NULL};

static bool
is_command(const char *word)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(word, commands[i]) == 0)
			return true;
	return false;
}

/* A word that can be no target, and is much like a command. */
static void
refuse_misspelt(const char *word)
{
	const char *nearest = strchr(word, ':') == NULL ? arguments_nearest(word, commands) : NULL;

	if (nearest != NULL)
		refuse("there is no command '%s'; did you mean %s?", word, nearest);
}

static void
take_argument(struct parse *parse, char *value)
{
	if (parse->purpose == OPTIONS_RUN && parse->load->target_count == 0 && is_command(value))
		refuse("a command comes before all options: hubbub-load %s ...", value);
	if (parse->purpose == OPTIONS_RUN && parse->load->target_count == 0)
		refuse_misspelt(value);
	if (parse->purpose == OPTIONS_SEARCH && parse->load->search.count == 0)
		table_take(&parse->table, "search", value);
	else
		field_target(parse->load, value);
}

static error_t
take(struct table *table, int key, char *value, struct argp_state *state)
{
	switch (key) {
	case OPTIONS_HELP_ALL:
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		take_argument(table->context, value);
		return table->error[0] == '\0' ? 0 : EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- the whole ---- */

static void
check_messages(struct parse *parse)
{
	const struct load *load = parse->load;
	uint32_t least = sizes_least(&load->sizes);

	if (load->framing == MESSAGE_LEN32 && least < 5)
		refuse("%s=len32: messages have at least 5 bytes, not %u (%s)",
			named(parse, "framing"), least, named(parse, "size"));
	if (load->framing == MESSAGE_LINE && least < 2)
		refuse("%s=line: messages have at least 2 bytes, not %u (%s)",
			named(parse, "framing"), least, named(parse, "size"));
	if (load->verify == MESSAGE_HEADER && least < MESSAGE_HEAD + 4)
		refuse("%s=header: messages below %d bytes have no header (%s)",
			named(parse, "verify"), MESSAGE_HEAD + 4, named(parse, "size"));
}

static bool
is_given(const struct parse *parse, const char *name)
{
	return table_origin(&parse->table, &givens, name) != TABLE_DEFAULT;
}

/* --json is another word for --output=-; the last one given counts. */
static void
settle_output(struct parse *parse)
{
	struct load *load = parse->load;
	bool is_last = false;

	for (size_t i = 0; i < givens.count; i++) {
		const char *name = table_row(&parse->table, givens.items[i].row, NULL)->name;

		if (strcmp(name, "json") == 0 || strcmp(name, "output") == 0)
			is_last = strcmp(name, "json") == 0;
	}
	load->is_json = load->is_json && is_last;
	if (load->is_json)
		load->output = "-";
}

/* What is of one result, of which a search and a sweep have many. */
static void
check_single(struct parse *parse)
{
	const struct load *load = parse->load;
	const bool sweeps = parse->purpose == OPTIONS_SWEEP, searches = load->search.count > 0;
	const struct {
		const char *name;
		bool is_refused;
	} cases[] = {{"hdr", load->hdr != NULL}, {"stream", load->stream != NULL},
		{"html", load->html != NULL && searches}, {"baseline", load->baseline != NULL},
		{"save-baseline", load->save_baseline != NULL}, {"repeat", load->repeat > 1},
		{"fail-if", load->fail_if_count > 0 && searches},
		{"abort-if", load->abort_if_count > 0 && searches}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (cases[i].is_refused && searches)
			refuse_of(parse, cases[i].name,
				"--search takes none for its runs; run the rate that it finds");
		else if (cases[i].is_refused && sweeps)
			refuse_of(parse, cases[i].name, "sweep takes none");
}

static void
check_shape(struct parse *parse)
{
	const struct load *load = parse->load;
	bool has_plan = load->is_open || load->search.count > 0 || parse->purpose == OPTIONS_SWEEP;

	if (load->search.count > 0 && load->is_open)
		refuse("--search finds the rate: leave %s out", named(parse, "rate"));
	check_single(parse);
	if (!has_plan && strcmp(load->arrivals_text, "uniform") != 0)
		refuse_of(parse, "arrivals", "a closed loop has no plan; add --rate");
	if (!has_plan && load->deadline != LOAD_NEVER)
		refuse_of(parse, "deadline", "a closed loop has no plan; add --rate");
	if (load->is_open && is_given(parse, "closed"))
		refuse("%s and %s are two load shapes: choose one", named(parse, "closed"),
			named(parse, "rate"));
	if (parse->purpose == OPTIONS_SWEEP && load->is_open && load->rate.form != PLAN_CONSTANT)
		refuse("sweep: %s is the common rate of all shapes, so a constant one",
			named(parse, "rate"));
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
				refuse("two outputs go to %s", paths[i]);
	if (count > 1)
		refuse("only one of --output, --stream, --hdr and --html can go to stdout ('-')");
}

/* Connections alone have no messages to say anything of. */
static void
check_knocks(struct parse *parse)
{
	const struct load *load = parse->load;

	if (strcmp(load->sizes_text, "64") != 0 || load->lifetime != LOAD_NEVER || load->slow > 0 ||
		load->close == LOAD_CLOSE_HALF || load->deadline != LOAD_NEVER)
		refuse("%s=0 sends no messages: it goes without --size, --lifetime, --slow, "
		       "--deadline and --close=half",
			named(parse, "churn"));
}

/* A gate that could never be breached would only seem to guard something. */
static void
check_gates(struct parse *parse)
{
	const struct load *load = parse->load;

	for (unsigned i = 0; i < load->fail_if_count && !load->is_open; i++)
		if (gate_uses_lag(&load->fail_if[i]))
			refuse_of(parse, "fail-if", "'%s': a closed loop has no lag; add --rate",
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
check_tls(struct parse *parse)
{
	struct load *load = parse->load;

	if (!load->has_tls && (load->authorities != NULL || load->trusts_anybody))
		refuse_of(parse, load->authorities != NULL ? "tls-ca" : "tls-insecure",
			"needs --tls");
	if (!load->has_tls)
		return;
	if (load->is_datagrams)
		refuse("%s does not go with udp: targets", named(parse, "tls"));
	for (unsigned i = 0; i < load->target_count; i++)
		if (load->targets[i].kind == ADDRESS_UNIX)
			refuse("%s does not go with %s", named(parse, "tls"), load->target_text[i]);
	if (load->kernel_times)
		refuse("%s does not go with %s: a record may come in parts",
			named(parse, "kernel-ts"), named(parse, "tls"));
	load->tls = client_tls = hub_tls_client_new(load->authorities);
	atexit(free_client_tls);
	if (load->tls == NULL)
		refuse_of(parse, "tls-ca", "%s", hub_tls_why());
	if (load->trusts_anybody)
		hub_tls_trust_anybody(load->tls);
}

#define DATAGRAM_MOST 65507 /* what IP leaves */

static void
check_datagrams(struct parse *parse)
{
	struct load *load = parse->load;
	unsigned count = 0;

	for (unsigned i = 0; i < load->target_count; i++)
		count += load->targets[i].kind == ADDRESS_UDP;
	if (count == 0)
		return;
	if (count < load->target_count)
		refuse("udp: targets and others do not go together");
	load->is_datagrams = true;
	if (sizes_least(&load->sizes) < MESSAGE_HEAD || sizes_most(&load->sizes) > DATAGRAM_MOST)
		refuse_of(parse, "size",
			"datagrams have %d to %d bytes here: replies that come in "
			"another order are told apart by their first %d",
			MESSAGE_HEAD, DATAGRAM_MOST, MESSAGE_HEAD);
	if (load->framing != MESSAGE_RAW)
		refuse_of(parse, "framing", "a datagram needs none");
	if (load->idle > 0)
		refuse_of(parse, "idle", "there is no connection to hold with udp: targets");
	if (load->churn == 0)
		refuse("%s=0: there is no handshake with udp: targets", named(parse, "churn"));
}

static void
check_whole(struct parse *parse)
{
	struct load *load = parse->load;

	if (load->count != 0 && load->is_open && load->rate.form != PLAN_CONSTANT)
		refuse("%s goes with a constant %s; a ramp or staircase needs --duration",
			named(parse, "count"), named(parse, "rate"));
	if (load->count != 0 && !is_given(parse, "duration"))
		load->duration = LOAD_NEVER;
	/* Of an even plan it is known how long so many messages take. */
	if (load->count != 0 && load->is_open && load->arrivals != PLAN_POISSON &&
		(double)load->count / load->rate.from * 1e9 < (double)load->duration)
		load->duration = (int64_t)ceil((double)load->count / load->rate.from * 1e9);
	if (load->duration == LOAD_NEVER)
		table_set_standard(parse->rows, "duration", NULL);
	if (!is_given(parse, "warmup") && load->count != 0)
		load->warmup = 0;
	check_shape(parse);
	settle_output(parse);
	check_stdout(load);
	if (load->connections == 0 && load->is_open)
		refuse("%s=0 has nothing to send on: leave %s out", named(parse, "connections"),
			named(parse, "rate"));
	if (load->connections > 0 && load->connections < load->target_count)
		refuse("%s=%u leaves some of the %u targets without any",
			named(parse, "connections"), load->connections, load->target_count);
	check_gates(parse);
	if (load->connections == 0 && load->idle == 0)
		refuse("%s=0 needs --idle", named(parse, "connections"));
	if (load->slow > load->connections)
		refuse_of(parse, "slow", "%u are more than the %u connections", load->slow,
			load->connections);
	if (load->churn == 0)
		check_knocks(parse);
	load->limits_reconnects = is_given(parse, "connect-rate");
	load->rate.warmup = (double)load->warmup / 1e9;
	load->rate.duration = load->duration == LOAD_NEVER ? 1e9 : (double)load->duration / 1e9;
	check_messages(parse);
	check_datagrams(parse);
	check_tls(parse);
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

/* ---- the table ---- */

static const char usage[] = "[run] [udp:]HOST:PORT|unix:PATH...\n"
			    "search EXPR HOST:PORT\n"
			    "sweep [--grid LIST] -- SERVER [OPTION...]\n"
			    "compare BASE.json NEW.json...\n"
			    "report RESULT.json [-o PAGE.html]\n"
			    "check HOST:PORT";
static const char *const rivals[][2] = {{"rate", "closed"}, {"rate", "search"},
	{"arrivals", "closed"}, {"deadline", "closed"}, {"count", "duration"}, {"output", "json"},
	{"tls-ca", "tls-insecure"}, {NULL, NULL}};
static const char description[] =
	"Loads an echo service, checks every byte that comes back, and tells the truth "
	"about its own part.\v"
	"@FILE stands for the arguments in FILE, one a line; blank lines and lines that begin "
	"with # are skipped; quotes are not special. The environment may set options, too, "
	"as " PREFIX "MAX_LAG does --max-lag; the command line and its @FILEs win.\n\n"
	"Exit codes: 0 done, 1 could not run, 2 usage, 3 a gate was breached, 4 the "
	"measurement is invalid, 5 wrong bytes came back, 130 and 143 interrupted.\n\n"
	"Examples:\n"
	"  hubbub-load 127.0.0.1:9090\n"
	"  hubbub-load -R 50k --fail-if 'p99>2ms' 127.0.0.1:9090\n"
	"  hubbub-load search 'p99<2ms,errors=0' 127.0.0.1:9090\n"
	"  hubbub-load -c 100 --idle 50k 127.0.0.1:9090\n"
	"  hubbub-load sweep --grid 1x1,2x1,2x2 -- hubbub-echo";

/* What has no default is off, which is another number for each. The rows last until the next
 * call. */
static void
prepare(struct parse *parse, char *error, size_t size)
{
	static struct hubbub_option rows[OPTIONS_TABLE_MAX];
	bool is_long = parse->purpose == OPTIONS_RUN || parse->purpose == OPTIONS_CHECK;

	parse->rows = rows;
	table_copy_rows(rows, options_table);
	table_set_standard(rows, "duration", is_long ? "10s" : "3s");
	*parse->load = (struct load){.churn = -1, .lifetime = LOAD_NEVER, .deadline = LOAD_NEVER};
	parse->table = (struct table){.parts = {{rows, parse->load}},
		.prefix = PREFIX,
		.rivals = rivals,
		.usage = usage,
		.description = description,
		.extras = options_extras,
		.take = take,
		.context = parse,
		.arguments = &arguments,
		.givens = &givens,
		.error = error,
		.error_size = size};
}

/* The load as the arguments that would make it, one a line. */
static void
print_config(const struct parse *parse)
{
	const struct load *load = parse->load;

	for (unsigned i = 0; i < load->target_count; i++)
		printf("%s\n", load->target_text[i]);
	if (load->source_count > 0)
		printf("# %u source addresses\n", load->source_count);
	table_print(&parse->table, &givens, stdout);
}

/* The server's command, behind --; none without. Returns how many arguments are before it. */
static int
find_server(struct load *load, int argc, char **argv)
{
	int own = 0;

	while (own < argc && strcmp(argv[own], "--") != 0)
		own++;
	if (own < argc)
		load->server = argv + own + 1;
	return own;
}

static void
warn(const char *text)
{
	fprintf(stderr, "hubbub-load: %s\n", text);
}

void
options_parse(struct load *load, int argc, char **argv, enum options_purpose purpose)
{
	struct parse parse = {.load = load, .purpose = purpose};
	char error[512];
	int own = argc;

	prepare(&parse, error, sizeof error);
	load->argc = argc;
	load->argv = argv;
	if (purpose == OPTIONS_SWEEP)
		own = find_server(load, argc, argv);
	argp_program_version = "hubbub-load " HUBBUB_VERSION;
	argp_err_exit_status = LOAD_USAGE;
	if (table_read(&parse.table, own, argv) != 0)
		refuse("%s", error);
	if (purpose == OPTIONS_SWEEP ? load->server == NULL || load->server[0] == NULL
				     : load->target_count == 0)
		refuse_without_target(purpose);
	if (purpose == OPTIONS_SWEEP && load->target_count > 0)
		refuse("sweep starts the server itself: '%s' is not needed", load->target_text[0]);
	if (purpose == OPTIONS_SEARCH && load->search.count == 0)
		refuse("search needs what is to be kept: hubbub-load search 'p99<2ms' HOST:PORT");
	table_check_environment(&parse.table, warn);
	check_whole(&parse);
	if (load->prints_config) {
		if (purpose != OPTIONS_SWEEP)
			complete_load(load);
		print_config(&parse);
		exit(LOAD_DONE);
	}
}

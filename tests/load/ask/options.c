/* The command line, the environment and @FILEs are read by master's table (master/start/table.h),
 * which knows the rows; here are positional arguments, commands, usage texts, and what each command
 * requires. The state of the reading is static, since the load borrows strings from it for as long
 * as the process lives. */
#include "tests/load/ask/options.h"

#include <argp.h>
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/allocator.h"
#include "hub/base/clock.h"
#include "master/base/commit.h"
#include "master/base/nearest.h"
#include "master/start/table.h"
#include "tests/load/ask/complete.h"
#include "tests/load/ask/field.h"
#include "tests/load/ask/options_check.h"
#include "tests/load/ask/options_table.h"
#include "tests/load/ask/refuse.h"

#define PREFIX "HUBBUB_LOAD_" /* of the environment variables that set options */

/* The load borrows strings from these, so they last as long as the process. */
static struct arguments arguments;
static struct table_givens givens;
static struct requests requests;

/* ---- arguments ---- */

static const char *const commands[] = {
	"run", "search", "sweep", "compare", "merge", "report", "check", NULL};

static bool
is_command(const char *word)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(word, commands[i]) == 0)
			return true;
	return false;
}

/* Refuses a word that can be no target and resembles a command. */
static void
refuse_misspelt(const char *word)
{
	const char *nearest = strchr(word, ':') == NULL ? nearest_name(word, commands) : NULL;

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
	(void)state;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	take_argument(table->context, value);
	return table->error[0] == '\0' ? 0 : EINVAL;
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
			    "merge [-o MERGED.json] A.json B.json...\n"
			    "report RESULT.json [-o PAGE.html]\n"
			    "check HOST:PORT";
static const char *const rivals[][2] = {{"rate", "closed"}, {"rate", "search"},
	{"arrivals", "closed"}, {"deadline", "closed"}, {"count", "duration"}, {"output", "json"},
	{"tls-ca", "tls-insecure"}, {NULL, NULL}};
/* What most loads need. */
static const char *const first[] = {"rate", "closed", "connections", "threads", "idle", "churn",
	"tls", "size", "duration", "count", "output", "html", "fail-if", "grid", NULL};
static const char brief[] =
	"Examples:\n"
	"  hubbub-load 127.0.0.1:9090\n"
	"  hubbub-load -R 50k --fail-if 'p99>2ms' 127.0.0.1:9090\n\n"
	"Exit codes: 0 done, 1 could not run, 2 usage, 3 a gate was breached, 4 invalid, 5 wrong "
	"bytes. --help-all lists every option, more examples, @FILEs and the environment.";
static const char description[] =
	"Loads an echo service, or with --request and --reply any other, verifies what comes "
	"back, and judges its own part in what it measured.\v"
	"@FILE stands for the arguments in FILE, one a line; blank lines and lines that begin "
	"with # are skipped; quotes are not special. The environment may set options, too, "
	"as " PREFIX "MAX_LAG does --max-lag; the command line and its @FILEs win.\n\n"
	"In TEXT of --request and --expect, and in files that they name, a backslash begins: "
	"\\r \\n \\t \\\\ \\xHH; at the end of a line, which then goes on; \\{counter}, or "
	"\\{counter:FIRST}, the number of the request; \\{random:LOW-HIGH}, where 000-999 has "
	"always three digits; \\{letters:N}. In --expect they have the values of the request. "
	"\\{weight:9} makes a --request nine times as frequent as one without; \\{end} in --expect "
	"means that nothing follows.\n\n"
	"Exit codes: 0 done, 1 could not run, 2 usage, 3 a gate was breached, or the "
	"server failed, 4 the measurement is invalid, or gives no answer, 5 wrong bytes came back, "
	"130 and 143 interrupted.\n\n"
	"Examples:\n"
	"  hubbub-load 127.0.0.1:9090\n"
	"  hubbub-load -R 50k --fail-if 'p99>2ms' 127.0.0.1:9090\n"
	"  hubbub-load search 'p99<2ms,errors=0' 127.0.0.1:9090\n"
	"  hubbub-load -c 100 --idle 50k 127.0.0.1:9090\n"
	"  hubbub-load --request 'GET k\\{counter}\\r\\n' --reply resp 127.0.0.1:6379\n"
	"  hubbub-load sweep --grid 1x1,2x1,2x2 -- hubbub-echo";

/* Prepares the table, and the load with the values that mean "off", which differ from option to
 * option. The rows last until the next call. */
static void
prepare(struct parse *parse, char *error, size_t size)
{
	static struct hubbub_option rows[OPTIONS_TABLE_MAX];
	bool is_long = parse->purpose == OPTIONS_RUN || parse->purpose == OPTIONS_CHECK;

	parse->rows = rows;
	table_copy_rows(rows, options_table);
	table_set_standard(rows, "duration", is_long ? "10s" : "3s");
	requests_clear(&requests);
	*parse->load = (struct load){
		.churn = -1, .lifetime = LOAD_NEVER, .deadline = LOAD_NEVER, .requests = &requests};
	parse->table = (struct table){.parts = {{rows, parse->load}},
		.prefix = PREFIX,
		.rivals = rivals,
		.usage = usage,
		.first = first,
		.brief = brief,
		.description = description,
		.extras = options_extras,
		.take = take,
		.context = parse,
		.arguments = &arguments,
		.givens = &givens,
		.error = error,
		.error_size = size};
}

/* Prints the arguments that would make this load, one a line. */
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

/* Finds the server's command behind "--", if there is one. Returns how many arguments precede
 * it. */
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

static void
print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "hubbub-load %s%s\nlibev %d.%d with epoll, %s\n", HUBBUB_VERSION,
		commit_text(), ev_version_major(), ev_version_minor(), allocator_name());
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
	argp_program_version_hook = print_version;
	argp_err_exit_status = LOAD_USAGE;
	if (table_read(&parse.table, own, argv) != 0)
		refuse("%s", error);
	if (purpose == OPTIONS_SWEEP ? load->server == NULL || load->server[0] == NULL
				     : load->target_count == 0)
		refuse_without_target(purpose);
	if (purpose == OPTIONS_SWEEP && load->target_count > 0)
		refuse("sweep starts the server itself: leave '%s' out", load->target_text[0]);
	if (purpose == OPTIONS_SEARCH && load->search.count == 0)
		refuse("search needs a goal: hubbub-load search 'p99<2ms' HOST:PORT");
	table_check_environment(&parse.table, warn);
	options_check(&parse);
	if (load->prints_config) {
		if (purpose != OPTIONS_SWEEP)
			complete_load(load);
		print_config(&parse);
		exit(LOAD_DONE);
	}
}

/* What the options mean together, once the table has read each row: addresses are resolved, the
 * certificate is loaded, processes and threads are chosen, contradictions are refused. */
#include "master/start/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/base/output.h"
#include "master/sockets/sockets.h"
#include "master/start/network.h"
#include "master/start/options_access.h"
#include "master/start/options_listen.h"
#include "master/start/options_tls.h"
#include "master/start/options_words.h"
#include "master/start/privileges.h"
#include "master/start/row.h"
#include "master/start/shape.h"

#define USAGE_EXIT 2

/* One reading of the options. */
struct reading {
	struct table table;
	struct options *options;
	const struct hubbub_service *service;
	bool is_again; /* on a reload: an error must not end the process */
};

/* A copy of the service's context as it was before any option was set; made once, never freed. */
static void *context_defaults;

#define complain(reading, name, ...) table_complain_of(&(reading)->table, name, __VA_ARGS__)
#define named(reading, name) table_named(&(reading)->table, name, (char[TABLE_NAMED_SIZE]){0})

/* ---- addresses and networks ---- */

/* Whether text has a form that --admin and --agent accept: TCP alone. */
static bool
may_be_own(const char *text)
{
	return strchr(text, ':') != NULL && strstr(text, "://") == NULL &&
	       strncmp(text, "unix:", 5) != 0 && strncmp(text, "udp:", 4) != 0;
}

static void
resolve_own(struct reading *reading, const char *name, const char *text, struct own_addresses *own)
{
	const char *why;

	if (text == NULL || reading->table.error[0] != '\0')
		return;
	if (!may_be_own(text)) {
		complain(reading, name, "'%s' is not HOST:PORT, [V6]:PORT or :PORT", text);
		return;
	}
	own->count = address_parse(text, own->addresses, &why);
	if (own->count == 0)
		complain(reading, name, "'%s' %s", text, why);
}

/* Resolves names up to the first error. On a reload the sockets stay, so nothing is resolved. */
static void
resolve_all(struct reading *reading)
{
	struct options *options = reading->options;

	if (reading->is_again)
		return;
	options_resolve_listen(options, &reading->table, reading->service);
	resolve_own(reading, "admin", options->admin, &options->admin_at);
	resolve_own(reading, "agent", options->agent, &options->agent_at);
}

/* Complains of an option that was given, though it has no effect without another. */
static void
check_need(struct reading *reading, const char *name, bool has, const char *needed)
{
	if (!has && table_origin(&reading->table, reading->table.givens, name) != TABLE_DEFAULT)
		complain(reading, name, "needs %s", needed);
}

static void
check_needs(struct reading *reading)
{
	const struct options *options = reading->options;
	bool has_udp = reading->is_again;

	for (size_t i = 0; i < options->address_count; i++)
		has_udp = has_udp || options->addresses[i].kind == ADDRESS_UDP;
	check_need(reading, "admin-host", options->admin != NULL, "--admin");
	check_need(reading, "tls-ticket-lifetime", options->tls_certificate != NULL, "--tls-cert");
	check_need(reading, "loop-limit", has_udp, "--listen for udp:");
}

static void
check_proxy(struct reading *reading)
{
	struct options *options = reading->options;
	struct worker_settings *worker = &options->worker;

	if (options->proxy_from.count > 0 && !worker->has_proxy)
		complain(reading, "proxy-from", "needs --proxy-protocol=on");
	for (size_t i = 0; i < options->proxy_from.count; i++)
		if (!network_parse(options->proxy_from.items[i],
			    &worker->networks[worker->network_count++]))
			complain(reading, "proxy-from",
				"'%s' is not an address or a network, such as 10.0.0.0/8 or "
				"2001:db8::/32",
				options->proxy_from.items[i]);
	if (worker->network_count > 0)
		return;
	network_parse("127.0.0.0/8", &worker->networks[0]);
	network_parse("::1", &worker->networks[1]);
	worker->network_count = 2;
}

/* Complains if an address of --admin or --agent overlaps another option's address. */
static void
check_apart(struct reading *reading, const char *option, const struct own_addresses *own,
	const char *other, const struct address *others, size_t count)
{
	for (size_t i = 0; i < own->count; i++)
		for (size_t j = 0; j < count; j++)
			if (address_overlaps(&own->addresses[i], &others[j]))
				table_complain(&reading->table,
					"%s and %s are the same address; choose another port",
					named(reading, option), named(reading, other));
}

static void
check_addresses(struct reading *reading)
{
	const struct options *options = reading->options;
	bool has_tcp = reading->is_again, has_unix = reading->is_again;

	for (size_t i = 0; i < options->address_count; i++) {
		const struct address *address = &options->addresses[i];

		has_tcp = has_tcp || address->kind == ADDRESS_TCP;
		has_unix = has_unix || address->kind == ADDRESS_UNIX;
		if (address->kind == ADDRESS_UNIX && options->control != NULL &&
			strcmp(options->control, address_path(address)) == 0)
			table_complain(&reading->table,
				"%s and %s are the same path; choose another",
				named(reading, "control"), named(reading, "listen"));
	}
	if (options->worker.tls_on_unix && !has_unix)
		complain(reading, "tls-unix", "needs --listen for unix:");
	else if (options->tls_certificate != NULL && !has_tcp && !options->worker.tls_on_unix)
		complain(reading, "tls-cert", "needs --listen for TCP, or --tls-unix=on");
	if (options->worker.has_proxy && !has_tcp && !has_unix)
		complain(reading, "proxy-protocol", "needs --listen for TCP or unix:");
	check_apart(reading, "admin", &options->admin_at, "listen", options->addresses,
		options->address_count);
	check_apart(reading, "agent", &options->agent_at, "listen", options->addresses,
		options->address_count);
	check_apart(reading, "admin", &options->admin_at, "agent", options->agent_at.addresses,
		options->agent_at.count);
}

/* ---- the whole ---- */

/* Chooses what is auto, and complains of a shape that cannot be. */
static void
check_shape(struct reading *reading)
{
	struct options *options = reading->options;
	const char *fault;

	shape_choose(options, reading->service);
	fault = shape_fault(reading->service, options->processes, options->threads);
	if (fault != NULL)
		table_complain(&reading->table, "%s, %s: %s", named(reading, "processes"),
			named(reading, "threads"), fault);
	if ((size_t)options->processes * options->threads > SOCKETS_SEATS_MAX)
		table_complain(&reading->table, "%s, %s: %u x %u are more than %d hubs",
			named(reading, "processes"), named(reading, "threads"), options->processes,
			options->threads, SOCKETS_SEATS_MAX);
}

/* On a reload the server stays the user that it is, so the names are not looked up again. */
static void
check_user_and_group(struct reading *reading)
{
	const char *user = reading->options->user, *group = reading->options->group;

	if (group != NULL && user == NULL)
		complain(reading, "group", "needs --user");
	if (reading->is_again || reading->table.error[0] != '\0')
		return;
	if (user != NULL && !privileges_has_user(user))
		complain(reading, "user", "there is no user '%s' on this machine", user);
	if (group != NULL && !privileges_has_group(group))
		complain(reading, "group", "there is no group '%s' on this machine", group);
}

static void
check_recorder(struct reading *reading)
{
	size_t size = reading->options->flight_recorder;

	if (size != 0 && size < RECORDERS_SIZE_LEAST)
		complain(reading, "flight-recorder", "needs at least 64K, or 0 for none");
}

static void
check_whole(struct reading *reading)
{
	check_recorder(reading);
	resolve_all(reading);
	check_user_and_group(reading);
	check_addresses(reading);
	check_needs(reading);
	check_proxy(reading);
	check_shape(reading);
	if (reading->table.error[0] == '\0')
		options_load_tls(reading->options, &reading->table, reading->service);
	if (reading->table.error[0] == '\0')
		options_open_access(reading->options, &reading->table);
}

/* ---- the format of errors ---- */

/* Whether these words, or else the environment, ask for lines of JSON: so are errors told, also one
 * that was found before the format's own turn. The words may be wrong in any way. */
static bool
ask_for_json(int count, char *const *words)
{
	static const char name[] = "--log-format", shortest[] = "--log-f";
	const char *format = getenv(OPTIONS_PREFIX "LOG_FORMAT");

	for (int i = 1; i < count && strcmp(words[i], "--") != 0; i++) {
		size_t length = strcspn(words[i], "=");

		if (length < sizeof shortest - 1 || strncmp(words[i], name, length) != 0)
			continue;
		if (words[i][length] == '=')
			format = words[i] + length + 1;
		else if (i + 1 < count)
			format = words[i + 1];
	}
	return format != NULL && strcmp(format, log_format_names[LOG_JSON]) == 0;
}

/* Sets the format of what this process says until its options are read. */
static void
expect_format(int count, char *const *words)
{
	log_setup(program_invocation_short_name, LOG_INFO,
		ask_for_json(count, words) ? LOG_JSON : LOG_TEXT);
}

/* With the words of @FILEs. argp would print its errors as text. */
static void
expect_format_of_all(struct table *table)
{
	expect_format(table->arguments->count, table->arguments->items);
	if (log_is_json())
		table->flags |= ARGP_NO_ERRS;
}

/* ---- the table ---- */

/* Takes a key or argument that is no row's option. */
static error_t
take_other(struct table *table, int key, char *value, struct argp_state *state)
{
	(void)state;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (table_has_name(table, value))
		table_complain(table, "'%s' is not an option; did you mean --%s?", value, value);
	else
		table_complain(table,
			"'%s' is not an option; addresses are given with --listen, see --help",
			value);
	return EINVAL;
}

/* Makes the table: the rows of every server, with the service's default for --listen, and then the
 * service's own rows. The rows are static, and last until the next call. */
static struct table
make_table(struct options *options, const struct hubbub_service *service)
{
	static struct hubbub_option rows[OPTIONS_ROWS_MAX];
	struct table table;

	table_copy_rows(rows, options_rows);
	table_set_standard(rows, "listen", service->listen);
	shape_set_defaults(rows, service);
	table = (struct table){
		.parts = {{rows, options}, {service->options, service->context}},
		.prefix = OPTIONS_PREFIX,
		.take = take_other,
		.arguments = &options->arguments,
		.givens = &options->givens,
	};
	options_words_set(&table, service);
	return table;
}

/* Puts the service's context back to its first state. Returns 0, or -1 if out of memory. */
static int
reset_context(const struct hubbub_service *service)
{
	size_t size = service->context_size;

	if (size == 0)
		return 0;
	if (context_defaults == NULL) {
		context_defaults = malloc(size);
		if (context_defaults == NULL)
			return -1;
		memcpy(context_defaults, service->context, size);
	}
	memcpy(service->context, context_defaults, size);
	return 0;
}

static void
read_all(struct reading *reading, int argc, char **argv)
{
	const struct hubbub_service *service = reading->service;
	struct options *options = reading->options;
	struct table *table = &reading->table;
	const struct hubbub_option *row;

	if (!table_is_sound(table, table->error, table->error_size))
		return;
	if (service->context_size == 0 && (row = table_find_bound(service->options)) != NULL)
		table_complain(table, "--%s is %s, which needs a context_size", row->name,
			row->kind == HUBBUB_STRING ? "a string"
			: row->kind == HUBBUB_LIST ? "a list"
						   : "not reloadable");
	if (reset_context(service) != 0)
		table_complain(table, "no memory");
	if (table->error[0] == '\0' && table_read(table, argc, argv) == 0)
		check_whole(reading);
	if (table->error[0] != '\0' || service->context_size == 0)
		return;
	options->context = malloc(service->context_size);
	if (options->context == NULL)
		table_complain(table, "no memory");
	else
		memcpy(options->context, service->context, service->context_size);
}

int
options_read(struct options *options, int argc, char **argv, const struct hubbub_service *service,
	bool is_again, char *error, size_t error_size)
{
	struct reading reading = {.options = options, .service = service, .is_again = is_again};

	*options = (struct options){0};
	error[0] = '\0';
	reading.table = make_table(options, service);
	if (is_again) {
		reading.table.flags = ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP;
	} else {
		expect_format(argc, argv);
		reading.table.expanded = expect_format_of_all;
	}
	reading.table.error = error;
	reading.table.error_size = error_size;
	argp_err_exit_status = USAGE_EXIT;
	read_all(&reading, argc, argv);
	return error[0] == '\0' ? 0 : -1;
}

void
options_parse(struct options *options, int argc, char **argv, const struct hubbub_service *service)
{
	char error[512];

	if (options_read(options, argc, argv, service, false, error, sizeof error) == 0)
		return;
	/* An @FILE before the one that cannot be read counts, too. */
	if (!log_is_json())
		expect_format(options->arguments.count, options->arguments.items);
	output_complain("%s", error);
	exit(USAGE_EXIT);
}

int
options_refuse(int argc, char **argv, const char *fault)
{
	struct arguments arguments = {0};
	char error[256];

	if (argc > 0 && argv != NULL && argv[0] != NULL) {
		expect_format(argc, argv);
		if (arguments_expand(&arguments, argc, argv, NULL, NULL, error, sizeof error) ==
				0 ||
			!log_is_json())
			expect_format(arguments.count, arguments.items);
		arguments_free(&arguments);
	}
	output_complain("%s", fault);
	return USAGE_EXIT;
}

void
options_print(const struct options *options, const struct hubbub_service *service, FILE *stream)
{
	/* The cast is safe: printing writes to no object of the table. */
	struct table table = make_table((struct options *)(uintptr_t)options, service);

	table_print(&table, &options->givens, stream);
}

static void
warn(const char *text)
{
	log_warning("%s", text);
}

void
options_warn(const struct hubbub_service *service)
{
	struct options none = {0};
	struct table table = make_table(&none, service);

	table_check_environment(&table, warn);
}

void
options_use(const struct options *options, const struct hubbub_service *service)
{
	if (options->context != NULL)
		memcpy(service->context, options->context, service->context_size);
	log_setup(service->name, options->log_level, options->log_format);
}

void
options_free(struct options *options)
{
	hub_tls_free(options->worker.tls);
	options->worker.tls = NULL;
	if (options->worker.access_file > 0)
		close(options->worker.access_file);
	options->worker.access_file = 0;
	free(options->context);
	options->context = NULL;
	table_givens_free(&options->givens);
	arguments_free(&options->arguments);
}

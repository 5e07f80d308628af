/* glibc's argp does the parsing and the help. Two things it cannot: @FILE arguments, and an unknown
 * option's message with the nearest one; both are dealt with before it runs. */
#include "master/options.h"

#include <argp.h>
#include <errno.h>
#include <ev.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/stack.h"
#include "master/cpus.h"
#include "master/network.h"
#include "master/sockets.h"

#define USAGE_EXIT 2
#define SERVICE_OPTIONS_MAX 32

enum key {
	KEY_LISTEN = 'l',
	KEY_PROCESSES = 'p',
	KEY_THREADS = 't',
	KEY_BACKLOG = 256,
	KEY_DRAIN_TIMEOUT,
	KEY_DRAIN_DELAY,
	KEY_HANG_TIMEOUT,
	KEY_MAX_CONNECTIONS,
	KEY_IDLE_TIMEOUT,
	KEY_WRITE_TIMEOUT,
	KEY_BALANCE,
	KEY_TLS_CERT,
	KEY_TLS_KEY,
	KEY_PROXY_PROTOCOL,
	KEY_PROXY_FROM,
	KEY_ADMIN,
	KEY_AGENT,
	KEY_CONTROL,
	KEY_STACK_SIZE,
	KEY_PIN,
	KEY_BACKEND,
	KEY_PIDFILE,
	KEY_USER,
	KEY_GROUP,
	KEY_LOG_LEVEL,
	KEY_LOG_FORMAT,
	KEY_CHECK,
	KEY_SERVICE /* and as many as the service has */
};

static const struct argp_option own_options[] = {
	{"listen", KEY_LISTEN, "ADDR", 0,
		"Listen on HOST:PORT, [V6]:PORT, :PORT (all addresses, v4 and v6), unix:PATH, or "
		"udp: before one of the first three; may be repeated",
		1},
	{"processes", KEY_PROCESSES, "N|auto", 0,
		"Worker processes; auto: 2 where there are 2 CPUs or more", 1},
	{"threads", KEY_THREADS, "N|auto", 0,
		"Threads in each worker, each with a hub; auto: as many as use every CPU", 1},
	{"max-connections", KEY_MAX_CONNECTIONS, "N", 0,
		"Connections of the whole server; others wait in the backlog (as the file limit "
		"allows)",
		2},
	{"idle-timeout", KEY_IDLE_TIMEOUT, "S", 0,
		"Close a connection that sends nothing for S seconds (0: never)", 2},
	{"write-timeout", KEY_WRITE_TIMEOUT, "S", 0,
		"Break off one that takes nothing of a reply for S seconds (30; 0: never)", 2},
	{"backlog", KEY_BACKLOG, "N", 0, "Connections that may wait per hub (4096)", 2},
	{"drain-timeout", KEY_DRAIN_TIMEOUT, "S", 0,
		"On TERM and HUP, seconds for open connections to end (30)", 2},
	{"drain-delay", KEY_DRAIN_DELAY, "S", 0,
		"On TERM, go on accepting for S seconds first, no longer ready (0)", 2},
	{"hang-timeout", KEY_HANG_TIMEOUT, "S", 0,
		"Replace a worker with a hub that is silent for S seconds (30; 0: never)", 2},
	{"tls-cert", KEY_TLS_CERT, "FILE", 0,
		"Speak TLS on TCP; FILE has the certificates, in PEM form, read again on HUP", 2},
	{"tls-key", KEY_TLS_KEY, "FILE", 0, "The private key of --tls-cert, in PEM form", 2},
	{"proxy-protocol", KEY_PROXY_PROTOCOL, "off|on", 0,
		"Expect a PROXY header (version 2) from a load balancer in front (off)", 2},
	{"proxy-from", KEY_PROXY_FROM, "NET", 0,
		"Whose headers are believed, as 10.0.0.0/8; all others are refused; may be "
		"repeated "
		"(127.0.0.0/8 and ::1)",
		2},
	{"stack-size", KEY_STACK_SIZE, "SIZE", 0, "Stack of each coroutine, 16K to 1G (64K)", 3},
	{"pin", KEY_PIN, NULL, 0, "Pin each hub's thread to one CPU", 3},
	{"balance", KEY_BALANCE, "load|hash", 0,
		"Where new connections go: where the load is lowest, or by the kernel's hash "
		"(load)",
		3},
	{"backend", KEY_BACKEND, "epoll|poll", 0, "How hubs wait for descriptors (epoll)", 3},
	{"admin", KEY_ADMIN, "ADDR", 0,
		"Serve HTTP there: / (a live page), /metrics, /livez, /readyz, /stats.json (off)",
		4},
	{"agent", KEY_AGENT, "ADDR", 0,
		"Tell load balancers there what share of connections is wanted (HAProxy's "
		"agent-check; off)",
		4},
	{"control", KEY_CONTROL, "PATH", 0,
		"Unix socket for hubbub-ctl (NAME-PORT.sock in /run/hubbub or "
		"$XDG_RUNTIME_DIR)",
		4},
	{"pidfile", KEY_PIDFILE, "PATH", 0, "Write the master's pid to PATH while running", 4},
	{"user", KEY_USER, "U", 0, "Become user U once all is open (only as root)", 4},
	{"group", KEY_GROUP, "G", 0, "Become group G (default: U's)", 4},
	{"log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, info or debug (info)", 4},
	{"log-format", KEY_LOG_FORMAT, "text|json", 0, "Form of log lines (text)", 4},
	{"check", KEY_CHECK, NULL, 0, "Validate the options and exit", 5},
	{0},
};

/* One parse; argp hands it to every call. */
struct parse {
	struct options *options;
	const struct hubbub_service *service;
	bool is_again; /* a reload: the process goes on whatever is wrong */
	char *error;   /* the first thing that is wrong; empty if nothing is */
	size_t error_size;
	struct argp_option all[sizeof own_options / sizeof own_options[0] + SERVICE_OPTIONS_MAX];
	const char *names[sizeof own_options / sizeof own_options[0] + SERVICE_OPTIONS_MAX + 4];
};

/* The service's context as it was before any option was set. */
static void *context_defaults;

static void __attribute__((format(printf, 2, 3)))
complain(struct parse *parse, const char *format, ...)
{
	va_list arguments;

	if (parse->error[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(parse->error, parse->error_size, format, arguments);
	va_end(arguments);
}

/* ---- values ---- */

static unsigned
parse_whole(struct parse *parse, const char *option, const char *value, unsigned low, unsigned high,
	const char * or)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number < low ||
		number > high)
		complain(parse, "--%s: '%s' is not a whole number from %u to %u%s", option, value,
			low, high, or);
	return (unsigned)number;
}

/* 0 for auto. */
static unsigned
parse_count(struct parse *parse, const char *option, const char *value, unsigned high)
{
	return strcmp(value, "auto") == 0
		       ? 0
		       : parse_whole(parse, option, value, 1, high, " or 'auto'");
}

static int64_t
parse_seconds(struct parse *parse, const char *option, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end != value && strcmp(end, "s") == 0)
		end++;
	/* strtod also reads blanks, signs, hexadecimal, and words. */
	if (value[strspn(value, "0123456789.s")] != '\0' || end == value || *end != '\0' ||
		!(seconds >= 0 && seconds <= 1e6))
		complain(parse, "--%s: '%s' is not a number of seconds from 0 to 1000000", option,
			value);
	return (int64_t)(seconds * (double)CLOCK_SECOND);
}

static size_t
parse_size(struct parse *parse, const char *option, const char *value)
{
	static const char units[] = "KMG";
	char *end;
	unsigned long long size;
	const char *unit;

	errno = 0;
	size = strtoull(value, &end, 10);
	unit = *end != '\0' && end[1] == '\0' ? strchr(units, *end) : NULL;
	if (unit != NULL && size < (1ULL << 32)) {
		size <<= 10 * (unit - units + 1);
		end++;
	}
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || size < STACK_SIZE_MIN ||
		size > STACK_SIZE_MAX)
		complain(parse,
			"--%s: '%s' is not a size from 16K to 1G (bytes, or with K, M or G)",
			option, value);
	return size;
}

static unsigned
parse_word(struct parse *parse, const char *option, const char *value, const char *const *words,
	unsigned count)
{
	char list[128];
	int index = arguments_find_word(value, words, count, list, sizeof list);

	if (index >= 0)
		return (unsigned)index;
	complain(parse, "--%s: '%s' is not one of: %s", option, value, list);
	return 0;
}

/* One that was there before; two of port 0 are two ports. NULL if there is none. */
static struct address *
find_address(struct options *options, const struct address *address)
{
	for (size_t i = 0; i < options->address_count; i++)
		if (!address_is_open(address) && address_is_same(&options->addresses[i], address))
			return &options->addresses[i];
	return NULL;
}

static void
add_address(struct parse *parse, const struct address *address)
{
	struct options *options = parse->options;
	struct address *known = find_address(options, address);

	if (known != NULL)
		/* It may have been asked for alone. */
		known->is_alternative = known->is_alternative && address->is_alternative;
	else if (options->address_count == ADDRESSES_MAX)
		complain(parse, "--listen: more than %d addresses", ADDRESSES_MAX);
	else
		options->addresses[options->address_count++] = *address;
}

static void
parse_listen(struct parse *parse, const char *value)
{
	struct options *options = parse->options;
	struct address found[ADDRESSES_MAX];
	unsigned name = (unsigned)options->listen_count;
	const char *why;
	size_t count;

	if (options->listen_count == ADDRESSES_MAX) {
		complain(parse, "--listen: more than %d addresses", ADDRESSES_MAX);
		return;
	}
	options->listen[options->listen_count++] = value;
	/* Sockets stay what they are, and the resolver may take its time. */
	if (parse->is_again)
		return;
	count = address_parse(value, found, &why);
	if (count == 0)
		complain(parse, "--listen: '%s' %s", value, why);
	/* One with an address of an earlier name is another word for that. */
	for (size_t i = 0; i < count; i++) {
		const struct address *known = find_address(options, &found[i]);

		name = known != NULL ? known->name : name;
	}
	for (size_t i = 0; i < count; i++) {
		found[i].name = name;
		add_address(parse, &found[i]);
	}
}

static void
parse_own_address(
	struct parse *parse, const char *option, const char *value, struct own_addresses *own)
{
	const char *why;

	if (parse->is_again)
		return;
	own->count = address_parse(value, own->addresses, &why);
	if (own->count == 0)
		complain(parse, "--%s: '%s' %s", option, value, why);
	else if (own->addresses[0].kind != ADDRESS_TCP)
		complain(parse, "--%s: '%s' is not HOST:PORT, [V6]:PORT or :PORT", option, value);
}

static void
parse_network(struct parse *parse, const char *value)
{
	struct options *options = parse->options;

	if (options->network_count == WORKER_NETWORKS_MAX)
		complain(parse, "--proxy-from: more than %d networks", WORKER_NETWORKS_MAX);
	else if (network_parse(value, &options->networks[options->network_count]))
		options->network_count++;
	else
		complain(parse,
			"--proxy-from: '%s' is not an address or a network, such as 10.0.0.0/8 or "
			"2001:db8::/32",
			value);
}

static void
parse_service_option(struct parse *parse, int key, const char *value)
{
	const struct hubbub_option *option = &parse->service->options[key - KEY_SERVICE];
	const char *expected = option->set(value, parse->service->context);

	if (expected != NULL)
		complain(parse, "--%s: '%s' is not %s", option->name, value, expected);
}

/* ---- argp ---- */

/* Processes, threads, hubs. Returns whether the option is one of these. */
static bool
parse_work(struct parse *parse, int key, char *value)
{
	static const char *const backends[HUB_BACKEND_MAX] = {"epoll", "poll"};
	static const char *const balances[] = {"load", "hash"};
	struct options *options = parse->options;

	switch (key) {
	case KEY_PROCESSES:
		options->processes = parse_count(parse, "processes", value, OPTIONS_PROCESSES_MAX);
		break;
	case KEY_THREADS:
		options->threads = parse_count(parse, "threads", value, OPTIONS_THREADS_MAX);
		break;
	case KEY_STACK_SIZE:
		options->stack_size = parse_size(parse, "stack-size", value);
		break;
	case KEY_PIN:
		options->pin = true;
		break;
	case KEY_BALANCE:
		options->balances_by_hash = parse_word(parse, "balance", value, balances, 2) == 1;
		break;
	case KEY_BACKEND:
		options->backend = parse_word(parse, "backend", value, backends, HUB_BACKEND_MAX);
		break;
	default:
		return false;
	}
	return true;
}

/* Numbers and times. Returns whether the option is one of these. */
static bool
parse_limit(struct parse *parse, int key, char *value)
{
	struct options *options = parse->options;

	switch (key) {
	case KEY_MAX_CONNECTIONS:
		options->max_connections =
			parse_whole(parse, "max-connections", value, 1, 1000000000, "");
		break;
	case KEY_IDLE_TIMEOUT:
		options->idle_timeout = parse_seconds(parse, "idle-timeout", value);
		break;
	case KEY_WRITE_TIMEOUT:
		options->write_timeout = parse_seconds(parse, "write-timeout", value);
		break;
	case KEY_BACKLOG:
		options->backlog = parse_whole(parse, "backlog", value, 1, 1 << 20, "");
		break;
	case KEY_DRAIN_TIMEOUT:
		options->drain_timeout = parse_seconds(parse, "drain-timeout", value);
		break;
	case KEY_DRAIN_DELAY:
		options->drain_delay = parse_seconds(parse, "drain-delay", value);
		break;
	case KEY_HANG_TIMEOUT:
		options->hang_timeout = parse_seconds(parse, "hang-timeout", value);
		break;
	default:
		return false;
	}
	return true;
}

/* Ways in, of clients and of operators. Returns whether the option is one of these. */
static bool
parse_way(struct parse *parse, int key, char *value)
{
	static const char *const switches[] = {"off", "on"};
	struct options *options = parse->options;

	switch (key) {
	case KEY_LISTEN:
		parse_listen(parse, value);
		break;
	case KEY_TLS_CERT:
		options->tls_certificate = value;
		break;
	case KEY_TLS_KEY:
		options->tls_key = value;
		break;
	case KEY_PROXY_PROTOCOL:
		options->has_proxy = parse_word(parse, "proxy-protocol", value, switches, 2) == 1;
		break;
	case KEY_PROXY_FROM:
		parse_network(parse, value);
		break;
	case KEY_ADMIN:
		options->admin = value;
		parse_own_address(parse, "admin", value, &options->admin_at);
		break;
	case KEY_AGENT:
		options->agent = value;
		parse_own_address(parse, "agent", value, &options->agent_at);
		break;
	case KEY_CONTROL:
		options->control = value;
		break;
	default:
		return false;
	}
	return true;
}

/* The process, its log. Returns whether the option is one of these. */
static bool
parse_operation(struct parse *parse, int key, char *value)
{
	struct options *options = parse->options;

	switch (key) {
	case KEY_PIDFILE:
		options->pidfile = value;
		break;
	case KEY_USER:
		options->user = value;
		break;
	case KEY_GROUP:
		options->group = value;
		break;
	case KEY_LOG_LEVEL:
		options->log_level =
			parse_word(parse, "log-level", value, log_level_names, LOG_LEVEL_MAX);
		break;
	case KEY_LOG_FORMAT:
		options->log_format =
			parse_word(parse, "log-format", value, log_format_names, LOG_FORMAT_MAX);
		break;
	case KEY_CHECK:
		options->check = true;
		break;
	default:
		return false;
	}
	return true;
}

static void
parse_own_option(struct parse *parse, int key, char *value)
{
	if (key == ARGP_KEY_ARG)
		complain(parse,
			"'%s' is not an option; addresses are given with --listen, see --help",
			value);
	else if (!parse_work(parse, key, value) && !parse_limit(parse, key, value) &&
		 !parse_way(parse, key, value) && !parse_operation(parse, key, value))
		parse_service_option(parse, key, value);
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;

	if (key != ARGP_KEY_ARG && (key >= KEY_SERVICE + SERVICE_OPTIONS_MAX || key <= 0 ||
					   (key > UCHAR_MAX && key < KEY_BACKLOG)))
		return ARGP_ERR_UNKNOWN;
	parse_own_option(parse, key, value);
	return parse->error[0] == '\0' ? 0 : EINVAL;
}

static void
collect_options(struct parse *parse)
{
	const struct hubbub_option *each = parse->service->options;
	size_t count = 0;

	for (; own_options[count].name != NULL; count++)
		parse->all[count] = own_options[count];
	for (int key = KEY_SERVICE;
		each != NULL && each->name != NULL && key < KEY_SERVICE + SERVICE_OPTIONS_MAX;
		key++, each++)
		parse->all[count++] =
			(struct argp_option){each->name, key, each->values, 0, each->help, 1};
	for (size_t i = 0; i < count; i++)
		parse->names[i] = parse->all[i].name;
	parse->names[count++] = "help";
	parse->names[count++] = "usage";
	parse->names[count++] = "version";
}

static const struct hubbub_service *version_of;

static void
print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "%s %s\n", version_of->name, version_of->version);
	fprintf(stream, "hubbub %s, libev %d.%d, %s, %s, %s%s\n", HUBBUB_VERSION,
		ev_version_major(), ev_version_minor(), HUBBUB_ALLOCATOR_NAME, HUBBUB_COMPILER,
		HUBBUB_ARCHITECTURE, HUBBUB_SANITIZE_NAME);
}

/* As many hubs as CPUs, in two processes where possible, so that a crash never takes all. */
static void
choose_counts(struct options *options)
{
	if (options->processes != 0 && options->threads != 0)
		return;
	options->cpus = cpus_allowed();
	if (options->processes == 0 && options->threads == 0)
		options->processes = options->cpus < 2 ? 1 : 2;
	else if (options->processes == 0)
		options->processes = (options->cpus + options->threads - 1) / options->threads;
	if (options->threads == 0)
		options->threads = (options->cpus + options->processes - 1) / options->processes;
}

/* Every service option is set anew, from the defaults. */
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
set_up_argp(struct argp *argp, char *description, size_t size, const struct parse *parse)
{
	const struct hubbub_service *service = parse->service;

	snprintf(description, size,
		"%s serves TCP on every core: a master process, worker processes, threads, and a "
		"coroutine per connection.\v"
		"@FILE stands for the arguments in FILE, one a line, read again on HUP. Listens on "
		"%s by default.\n\n"
		"Signals to the master: TERM stops gracefully; a second TERM, INT or QUIT at once; "
		"HUP replaces the workers; USR1 reopens the log; USR2 upgrades to the program that "
		"is now in its place; TTIN and TTOU mean one worker more and less. hubbub-ctl does "
		"the same.",
		service->name, service->listen);
	*argp = (struct argp){.options = parse->all, .parser = parse_option, .doc = description};
	version_of = service;
	argp_program_version_hook = print_version;
	argp_err_exit_status = USAGE_EXIT;
}

static void
load_tls(struct parse *parse)
{
	struct options *options = parse->options;

	if (options->tls_certificate == NULL && options->tls_key == NULL)
		return;
	if (options->tls_key == NULL)
		complain(parse, "--tls-cert: needs --tls-key");
	else if (options->tls_certificate == NULL)
		complain(parse, "--tls-key: needs --tls-cert");
	else if ((options->tls = hub_tls_server_new(options->tls_certificate, options->tls_key)) ==
		 NULL)
		complain(parse, "--tls-cert, --tls-key: %s", hub_tls_why());
}

static void
check_proxy(struct parse *parse)
{
	struct options *options = parse->options;

	if (options->network_count > 0 && !options->has_proxy)
		complain(parse, "--proxy-from: needs --proxy-protocol=on");
	if (options->network_count > 0)
		return;
	network_parse("127.0.0.0/8", &options->networks[0]);
	network_parse("::1", &options->networks[1]);
	options->network_count = 2;
}

/* The master's own addresses are nobody else's. */
static void
check_apart(struct parse *parse, const char *option, const struct own_addresses *own,
	const char *other, const struct address *others, size_t count)
{
	for (size_t i = 0; i < own->count; i++)
		for (size_t j = 0; j < count; j++)
			if (address_overlaps(&own->addresses[i], &others[j]))
				complain(parse,
					"--%s and --%s are the same address; choose another port",
					option, other);
}

static void
check_addresses(struct parse *parse)
{
	const struct options *options = parse->options;
	bool has_tcp = parse->is_again, has_stream = parse->is_again;

	for (size_t i = 0; i < options->address_count; i++) {
		const struct address *address = &options->addresses[i];

		has_tcp = has_tcp || address->kind == ADDRESS_TCP;
		has_stream = has_stream || address->kind != ADDRESS_UDP;
		if (address->kind == ADDRESS_UDP && parse->service->answer == NULL)
			complain(parse, "--listen: %s has no answer to datagrams",
				parse->service->name);
		if (address->kind == ADDRESS_UNIX && options->control != NULL &&
			strcmp(options->control, address_path(address)) == 0)
			complain(parse, "--control and --listen are the same path; choose another");
	}
	if (options->tls_certificate != NULL && !has_tcp)
		complain(parse, "--tls-cert: TLS is for TCP, and no --listen address is of it");
	if (options->has_proxy && !has_stream)
		complain(parse, "--proxy-protocol: no --listen address has connections");
	check_apart(parse, "admin", &options->admin_at, "listen", options->addresses,
		options->address_count);
	check_apart(parse, "agent", &options->agent_at, "listen", options->addresses,
		options->address_count);
	check_apart(parse, "admin", &options->admin_at, "agent", options->agent_at.addresses,
		options->agent_at.count);
}

static void
check_whole(struct parse *parse)
{
	struct options *options = parse->options;

	if (options->listen_count == 0 && parse->error[0] == '\0')
		parse_listen(parse, parse->service->listen);
	if (options->group != NULL && options->user == NULL)
		complain(parse, "--group: needs --user");
	check_addresses(parse);
	check_proxy(parse);
	options->asked_processes = options->processes;
	options->asked_threads = options->threads;
	choose_counts(options);
	if ((size_t)options->processes * options->threads > SOCKETS_SEATS_MAX)
		complain(parse, "--processes, --threads: %u x %u are more than %d hubs",
			options->processes, options->threads, SOCKETS_SEATS_MAX);
	if (parse->error[0] == '\0')
		load_tls(parse);
}

int
options_read(struct options *options, int argc, char **argv, const struct hubbub_service *service,
	bool is_again, char *error, size_t error_size)
{
	struct parse parse = {.options = options,
		.service = service,
		.is_again = is_again,
		.error = error,
		.error_size = error_size};
	struct argp argp;
	char description[1024];

	*options = (struct options){.backlog = 4096,
		.drain_timeout = 30 * CLOCK_SECOND,
		.write_timeout = 30 * CLOCK_SECOND,
		.hang_timeout = 30 * CLOCK_SECOND,
		.stack_size = STACK_SIZE_DEFAULT,
		.log_level = LOG_INFO};
	error[0] = '\0';
	if (arguments_expand(&options->arguments, argc, argv, error, (int)error_size) != 0)
		return -1;
	if (reset_context(service) != 0) {
		snprintf(error, error_size, "no memory");
		return -1;
	}
	argc = options->arguments.count;
	argv = options->arguments.items;
	set_up_argp(&argp, description, sizeof description, &parse);
	collect_options(&parse);
	if (!arguments_check_names(argc, argv, parse.names, error, error_size))
		return -1;
	if (argp_parse(&argp, argc, argv, is_again ? ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP : 0,
		    NULL, &parse) != 0)
		complain(&parse, "an option is ambiguous or lacks its value; see --help");
	if (error[0] == '\0')
		check_whole(&parse);
	if (error[0] == '\0' && service->context_size != 0) {
		options->context = malloc(service->context_size);
		if (options->context == NULL)
			complain(&parse, "no memory");
		else
			memcpy(options->context, service->context, service->context_size);
	}
	return error[0] == '\0' ? 0 : -1;
}

void
options_parse(struct options *options, int argc, char **argv, const struct hubbub_service *service)
{
	char error[512];

	if (options_read(options, argc, argv, service, false, error, sizeof error) == 0)
		return;
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, error);
	exit(USAGE_EXIT);
}

void
options_use(const struct options *options, const struct hubbub_service *service)
{
	if (options->context != NULL)
		memcpy(service->context, options->context, service->context_size);
}

void
options_free(struct options *options)
{
	hub_tls_free(options->tls);
	options->tls = NULL;
	free(options->context);
	options->context = NULL;
	arguments_free(&options->arguments);
}

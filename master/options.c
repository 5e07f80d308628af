/* glibc's argp does the parsing and the help. Two things it cannot: @FILE arguments, and an unknown
 * option's message with the nearest one; both are dealt with before it runs. */
#include "master/options.h"

#include <argp.h>
#include <errno.h>
#include <ev.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/stack_priv.h"
#include "master/cpus.h"

#define USAGE_EXIT 2
#define SERVICE_OPTIONS_MAX 32

enum key {
	KEY_LISTEN = 'l',
	KEY_PROCESSES = 'p',
	KEY_THREADS = 't',
	KEY_BACKLOG = 256,
	KEY_DRAIN_TIMEOUT,
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
		"Listen on HOST:PORT, [V6]:PORT or :PORT (all addresses); may be repeated", 1},
	{"processes", KEY_PROCESSES, "N|auto", 0,
		"Worker processes; auto: 2 where there are 2 CPUs or more", 1},
	{"threads", KEY_THREADS, "N|auto", 0,
		"Threads in each worker, each with a hub; auto: as many as use every CPU", 1},
	{"backlog", KEY_BACKLOG, "N", 0, "Connections that may wait per hub (4096)", 2},
	{"drain-timeout", KEY_DRAIN_TIMEOUT, "S", 0,
		"On TERM, seconds for open connections to end (30)", 2},
	{"stack-size", KEY_STACK_SIZE, "SIZE", 0, "Stack of each coroutine, 16K to 1G (64K)", 3},
	{"pin", KEY_PIN, NULL, 0, "Pin each hub's thread to one CPU", 3},
	{"backend", KEY_BACKEND, "epoll|poll", 0, "How hubs wait for descriptors (epoll)", 3},
	{"pidfile", KEY_PIDFILE, "PATH", 0, "Write the master's pid to PATH while running", 4},
	{"user", KEY_USER, "U", 0, "Run workers as user U (only as root)", 4},
	{"group", KEY_GROUP, "G", 0, "Run workers as group G (default: U's)", 4},
	{"log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, info or debug (info)", 4},
	{"log-format", KEY_LOG_FORMAT, "text|json", 0, "Form of log lines (text)", 4},
	{"check", KEY_CHECK, NULL, 0, "Validate the options and exit", 5},
	{0},
};

/* One parse; argp hands it to every call. */
struct parse {
	struct options *options;
	const struct hubbub_service *service;
	struct argp_option all[sizeof own_options / sizeof own_options[0] + SERVICE_OPTIONS_MAX];
	const char *names[sizeof own_options / sizeof own_options[0] + SERVICE_OPTIONS_MAX + 4];
};

static _Noreturn void __attribute__((format(printf, 1, 2))) usage(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("\n", stderr);
	exit(USAGE_EXIT);
}

/* ---- values ---- */

static unsigned
parse_whole(const char *option, const char *value, unsigned low, unsigned high, const char * or)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number < low ||
		number > high)
		usage("--%s: '%s' is not a whole number from %u to %u%s", option, value, low, high,
			or);
	return (unsigned)number;
}

/* 0 for auto. */
static unsigned
parse_count(const char *option, const char *value, unsigned high)
{
	return strcmp(value, "auto") == 0 ? 0 : parse_whole(option, value, 1, high, " or 'auto'");
}

static int64_t
parse_seconds(const char *option, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end != value && strcmp(end, "s") == 0)
		end++;
	/* strtod also reads blanks, signs, hexadecimal, and words. */
	if (value[strspn(value, "0123456789.s")] != '\0' || end == value || *end != '\0' ||
		!(seconds >= 0 && seconds <= 1e6))
		usage("--%s: '%s' is not a number of seconds from 0 to 1000000", option, value);
	return (int64_t)(seconds * (double)CLOCK_SECOND);
}

static size_t
parse_size(const char *option, const char *value)
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
		usage("--%s: '%s' is not a size from 16K to 1G (bytes, or with K, M or G)", option,
			value);
	return size;
}

static unsigned
parse_word(const char *option, const char *value, const char *const *words, unsigned count)
{
	char list[128] = "";

	for (unsigned i = 0; i < count; i++) {
		if (strcmp(value, words[i]) == 0)
			return i;
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
			i == 0 ? "" : ", ", words[i]);
	}
	usage("--%s: '%s' is not one of: %s", option, value, list);
}

/* localhost and 127.0.0.1 are one address; two of port 0 are two ports. */
static void
add_address(struct options *options, struct address address)
{
	for (size_t i = 0; i < options->address_count; i++)
		if (address_port(&address) != 0 &&
			memcmp(&options->addresses[i], &address, sizeof address) == 0)
			return;
	options->addresses[options->address_count++] = address;
}

static void
parse_listen(struct options *options, const char *value)
{
	const char *why;
	size_t room = OPTIONS_ADDRESSES_MAX - options->address_count;

	if (room == 0)
		usage("--listen: more than %d addresses", OPTIONS_ADDRESSES_MAX);
	room = address_parse(value, options->addresses + options->address_count, room, &why);
	if (room == 0)
		usage("--listen: '%s' %s", value, why);
	for (size_t i = 0; i < room; i++)
		add_address(options, options->addresses[options->address_count + i]);
}

static void
parse_service_option(const struct hubbub_service *service, int key, const char *value)
{
	const struct hubbub_option *option = &service->options[key - KEY_SERVICE];
	const char *expected = option->set(value, service->context);

	if (expected != NULL)
		usage("--%s: '%s' is not %s", option->name, value, expected);
}

/* ---- argp ---- */

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	static const char *const backends[HUB_BACKEND_MAX] = {"epoll", "poll"};
	struct parse *parse = state->input;
	struct options *options = parse->options;

	switch (key) {
	case KEY_LISTEN:
		parse_listen(options, value);
		return 0;
	case KEY_PROCESSES:
		options->processes = parse_count("processes", value, OPTIONS_PROCESSES_MAX);
		return 0;
	case KEY_THREADS:
		options->threads = parse_count("threads", value, OPTIONS_THREADS_MAX);
		return 0;
	case KEY_BACKLOG:
		options->backlog = parse_whole("backlog", value, 1, 1 << 20, "");
		return 0;
	case KEY_DRAIN_TIMEOUT:
		options->drain_timeout = parse_seconds("drain-timeout", value);
		return 0;
	case KEY_STACK_SIZE:
		options->stack_size = parse_size("stack-size", value);
		return 0;
	case KEY_PIN:
		options->pin = true;
		return 0;
	case KEY_BACKEND:
		options->backend = parse_word("backend", value, backends, HUB_BACKEND_MAX);
		return 0;
	case KEY_PIDFILE:
		options->pidfile = value;
		return 0;
	case KEY_USER:
		options->user = value;
		return 0;
	case KEY_GROUP:
		options->group = value;
		return 0;
	case KEY_LOG_LEVEL:
		options->log_level = parse_word("log-level", value, log_level_names, LOG_LEVEL_MAX);
		return 0;
	case KEY_LOG_FORMAT:
		options->log_format =
			parse_word("log-format", value, log_format_names, LOG_FORMAT_MAX);
		return 0;
	case KEY_CHECK:
		options->check = true;
		return 0;
	case ARGP_KEY_ARG:
		usage("'%s' is not an option; addresses are given with --listen, see --help",
			value);
	default:
		if (key < KEY_SERVICE || key >= KEY_SERVICE + SERVICE_OPTIONS_MAX)
			return ARGP_ERR_UNKNOWN;
		parse_service_option(parse->service, key, value);
		return 0;
	}
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

/* argp would print "unrecognized option" alone. */
static void
check_names(const struct parse *parse, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		char name[64];
		const char *nearest;
		bool is_known = false;

		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
		/* An abbreviation is argp's to judge. */
		for (const char *const *each = parse->names; *each != NULL; each++)
			is_known = is_known || strncmp(*each, name, strlen(name)) == 0;
		if (is_known)
			continue;
		nearest = arguments_nearest(name, parse->names);
		if (nearest != NULL)
			usage("--%s: there is no such option; did you mean --%s?", name, nearest);
		usage("--%s: there is no such option; see --help", name);
	}
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

void
options_parse(struct options *options, int argc, char **argv, const struct hubbub_service *service)
{
	struct parse parse = {.options = options, .service = service};
	struct argp argp = {.options = parse.all, .parser = parse_option};
	char description[512], error[256];

	*options = (struct options){.backlog = 4096,
		.drain_timeout = 30 * CLOCK_SECOND,
		.stack_size = STACK_SIZE_DEFAULT,
		.log_level = LOG_INFO};
	if (arguments_expand(&options->arguments, argc, argv, error, sizeof error) != 0)
		usage("%s", error);
	argc = options->arguments.count;
	argv = options->arguments.items;
	snprintf(description, sizeof description,
		"%s serves TCP on every core: a master process, worker processes, threads, and a "
		"coroutine per connection.\v"
		"@FILE stands for the arguments in FILE, one a line. Listens on %s by default.\n\n"
		"Signals to the master: TERM stops gracefully, a second TERM, INT or QUIT at once.",
		service->name, service->listen);
	argp.doc = description;
	version_of = service;
	argp_program_version_hook = print_version;
	argp_err_exit_status = USAGE_EXIT;
	collect_options(&parse);
	check_names(&parse, argc, argv);
	if (argp_parse(&argp, argc, argv, 0, NULL, &parse) != 0)
		usage("cannot parse the options: %s", strerror(errno));
	if (options->address_count == 0)
		parse_listen(options, service->listen);
	if (options->group != NULL && options->user == NULL)
		usage("--group: needs --user");
	choose_counts(options);
}

void
options_free(struct options *options)
{
	arguments_free(&options->arguments);
}

/* A service with commands of its own, for the tests of them (test_commands.c): what they print, how
 * long they take, and what becomes of their worker. Those that take long log when they begin. */
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct asked {
	bool hangs;
};

/* Prints its arguments, a line each. */
static const char *
say(struct hub_stream *output, char **arguments, void *context)
{
	(void)context;
	for (; *arguments != NULL; arguments++)
		hub_stream_printf(output, "<%s>\n", *arguments);
	return NULL;
}

static const char *
where(struct hub_stream *output, char **arguments, void *context)
{
	const struct hubbub_self *self = hubbub_self();

	(void)arguments, (void)context;
	hub_stream_printf(output,
		"{\"worker\": %u, \"hub\": %u, \"generation\": %u, \"pid\": %d}\n", self->worker,
		self->hub, self->generation, (int)getpid());
	return NULL;
}

static const char *
fail(struct hub_stream *output, char **arguments, void *context)
{
	(void)context;
	hub_stream_printf(output, "half\n");
	return hubbub_why("there is no key '%s'", arguments[0] != NULL ? arguments[0] : "");
}

/* Sleeps for that many milliseconds, or for ever. */
static const char *
rest(struct hub_stream *output, char **arguments, void *context)
{
	int64_t most = arguments[0] != NULL ? atoi(arguments[0]) * HUB_MILLISECOND : HUB_FOREVER;

	(void)context;
	hubbub_log(HUBBUB_INFO, "rest begins");
	if (hub_sleep(most) != 0)
		return hubbub_why("interrupted: %s", strerror(errno));
	hub_stream_printf(output, "rested\n");
	return NULL;
}

/* Ends neither when it is late nor when it is killed. */
static const char *
insist(struct hub_stream *output, char **arguments, void *context)
{
	(void)output, (void)arguments, (void)context;
	for (;;)
		hub_sleep(HUB_MILLISECOND);
	return NULL;
}

static const char *
refuse(struct hub_stream *output, char **arguments, void *context)
{
	(void)output, (void)context;
	return hubbub_bad_usage("'%s' is no KEY", arguments[0] != NULL ? arguments[0] : "");
}

/* Sends its own worker a signal. */
static const char *
hit(struct hub_stream *output, char **arguments, void *context)
{
	(void)output, (void)context;
	if (arguments[0] == NULL)
		return "hit takes a signal's number";
	raise(atoi(arguments[0]));
	return NULL;
}

/* Forks a child that returns. */
static const char *
stray(struct hub_stream *output, char **arguments, void *context)
{
	pid_t child = fork();

	(void)arguments, (void)context;
	if (child > 0)
		waitpid(child, NULL, 0);
	hub_stream_printf(output, child > 0 ? "parent\n" : "child\n");
	return NULL;
}

/* Prints that many bytes. */
static const char *
much(struct hub_stream *output, char **arguments, void *context)
{
	size_t length = arguments[0] != NULL ? strtoul(arguments[0], NULL, 10) : 0;

	(void)context;
	for (size_t i = 1; i <= length; i++)
		hub_stream_write(output, i % 80 == 0 || i == length ? "\n" : "x", 1);
	return NULL;
}

/* Lets its hub run nothing else, if it is not the first. */
static const char *
hang(void *context)
{
	const struct asked *asked = context;

	while (asked->hangs && hubbub_self()->hub > 0)
		pause();
	return NULL;
}

static void
serve(int client, void *context)
{
	char bytes[256];
	ssize_t got;

	(void)context;
	while ((got = hub_recv(client, bytes, sizeof bytes, 0)) > 0)
		hub_send(client, bytes, (size_t)got, 0);
}

int
main(int argc, char **argv)
{
	static const struct hubbub_command commands[] = {
		{.name = "say",
			.help = "WORDS...: print them",
			.run = say,
			.page = "text/plain; charset=utf-8"},
		{.name = "where.json",
			.help = "print which worker answers",
			.run = where,
			.page = "application/json"},
		{.name = "all", .help = "ask every worker", .run = where, .in_each_worker = true},
		{.name = "fail", .help = "fail", .run = fail, .page = "text/html"},
		{.name = "refuse", .help = "KEY: none", .run = refuse, .page = "text/html"},
		{.name = "rest", .help = "MILLISECONDS: sleep", .run = rest, .page = "text/plain"},
		{.name = "insist", .help = "never return", .run = insist},
		{.name = "hit",
			.help = "SIGNAL: for its own worker",
			.run = hit,
			.page = "text/plain"},
		{.name = "stray", .help = "fork a child that returns", .run = stray},
		{.name = "much", .help = "BYTES: print so many", .run = much, .page = "text/plain"},
		{0}};
	static const struct hubbub_option options[] = {
		{.name = "hang",
			.help = "hang all hubs but the first",
			.kind = HUBBUB_FLAG,
			HUBBUB_FIELD(struct asked, hangs)},
		{0}};
	static const struct hubbub_background background[] = {
		{.name = "hang", .run = hang, .where = HUBBUB_EACH_HUB}, {0}};
	static struct asked asked;
	static const struct hubbub_service service = {.name = "asked",
		.version = "1.0",
		.listen = "127.0.0.1:0",
		.serve = serve,
		.context = &asked,
		.context_size = sizeof asked,
		.options = options,
		.background = background,
		.commands = commands};

	return hubbub_main(argc, argv, &service);
}

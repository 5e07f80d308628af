/* @NAME@: the server around the protocol. hubbub_main has the processes, threads and options of
 * every server (--help); here are those of this one. */
#include <hubbub/hub.h>
#include <hubbub/server.h>

#include "protocol.h"

/* What operators can set. */
struct settings {
	size_t longest_line; /* bytes */
};

static const struct hubbub_option options[] = {
	{.name = "longest-line",
		.values = "BYTES",
		.help = "Longest line that a client may send",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct settings, longest_line),
		.standard = "4096",
		.least = 64,
		.most = 1 << 20},
	{0},
};

/* What is counted, in /metrics and hubbub-ctl status. Lines are requests, too (hubbub_busy), so how
 * long they take is there as well. */
enum { LINES };

static const struct hubbub_metric metrics[] = {
	[LINES] = {.name = "@WORD@_lines_total",
		.help = "Lines that were answered.",
		.kind = HUBBUB_COUNTER},
	{0},
};

static void
end_line(int client)
{
	hubbub_count(LINES, 1);
	hubbub_idle(client);
}

static void
serve(int client, void *context)
{
	const struct settings *settings = context;
	struct protocol protocol = {settings->longest_line, hubbub_busy, end_line};

	protocol_serve(client, &protocol);
}

/* A line in the log, once in each worker. */
static const char *
announce(void *context)
{
	const struct settings *settings = context;

	hubbub_log(HUBBUB_INFO, "lines are taken longest=%zu", settings->longest_line);
	return NULL;
}

/* hubbub-ctl settings, and the page /settings of the admin address. */
static const char *
tell_settings(struct hub_stream *output, char **arguments, void *context)
{
	const struct settings *settings = context;

	if (arguments[0] != NULL)
		return hubbub_bad_usage("settings takes no argument");
	hub_stream_printf(output, "longest line: %zu bytes\n", settings->longest_line);
	return NULL;
}

static const struct hubbub_command commands[] = {
	{.name = "settings",
		.help = "print what is set",
		.run = tell_settings,
		.page = "text/plain; charset=utf-8"},
	{0},
};

int
main(int argc, char **argv)
{
	static struct settings settings;
	static const struct hubbub_service service = {
		.name = "@NAME@",
		.version = "0.1",
		.listen = "127.0.0.1:9090",
		.serve = serve,
		.options = options,
		.context = &settings,
		.context_size = sizeof settings,
		.hooks = {.worker_start = announce},
		.metrics = metrics,
		.commands = commands,
	};

	return hubbub_main(argc, argv, &service);
}

/* @NAME@: the server around the protocol. hubbub_main has the processes, threads and options of
 * every server (--help); here are those of this one. */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdio.h>

#include "protocol.h"

/* A line in the log, once in each worker. */
static const char *
announce(void *context)
{
	const struct protocol *protocol = context;

	fprintf(stderr, "@NAME@: worker %u takes lines of up to %zu bytes\n", hubbub_self()->worker,
		protocol->longest_line);
	return NULL;
}

/* hubbub-ctl answered, and the page /answered of the admin address. */
static const char *
tell_answered(struct hub_stream *output, char **arguments, void *context)
{
	(void)context;
	if (arguments[0] != NULL)
		return "answered takes no argument";
	hub_stream_printf(output, "worker %u: %lu\n", hubbub_self()->worker, protocol_answered());
	return NULL;
}

static const struct hubbub_option options[] = {
	{.name = "longest-line",
		.values = "BYTES",
		.help = "Longest line that a client may send",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct protocol, longest_line),
		.standard = "4096",
		.least = 64,
		.most = 1 << 20},
	{0},
};

static const struct hubbub_command commands[] = {
	{.name = "answered",
		.help = "print how many lines each worker has answered",
		.run = tell_answered,
		.page = "text/plain; charset=utf-8",
		.in_each_worker = true},
	{0},
};

int
main(int argc, char **argv)
{
	static struct protocol protocol;
	static const struct hubbub_service service = {
		.name = "@NAME@",
		.version = "0.1",
		.listen = "127.0.0.1:9090",
		.serve = protocol_serve,
		.options = options,
		.context = &protocol,
		.context_size = sizeof protocol,
		.hooks = {.worker_start = announce},
		.commands = commands,
	};

	return hubbub_main(argc, argv, &service);
}

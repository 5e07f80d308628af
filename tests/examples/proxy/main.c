/* proxy: a TCP proxy before a server of any kind, such as PostgreSQL. It copies bytes both ways,
 * for the most part in the kernel, and passes on how each way ends.
 * hubbub_main has the processes, threads and options of every server (--help); here is what this
 * one has besides.
 *
 *	proxy --to=127.0.0.1:5432
 *	psql -h 127.0.0.1 -p 6432 */
#include <hubbub/hub.h>
#include <hubbub/server.h>

#include "metrics.h"
#include "relay.h"
#include "upstream.h"

struct proxy {
	struct upstream upstream;
	int64_t silence; /* of a way that goes on after the other has ended */
};

static const char *
set_upstream(const char *value, void *context)
{
	struct proxy *proxy = context;

	return upstream_parse(value, &proxy->upstream);
}

static const struct hubbub_option options[] = {
	{.name = "to",
		.values = "HOST:PORT",
		.help = "Where the server is; the addresses of a name are tried in sequence "
			"(default: "
			"127.0.0.1:5432)",
		.set = set_upstream},
	{.name = "connect-timeout",
		.values = "S",
		.help = "Seconds in which an address of the server must answer",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct proxy, upstream.patience),
		.standard = "5",
		.least = HUB_MILLISECOND},
	{.name = "max-upstream",
		.values = "N",
		.help = "Most connections to the server, of each worker; further clients are "
			"closed",
		.kind = HUBBUB_NUMBER,
		HUBBUB_FIELD(struct proxy, upstream.most),
		.standard = "0",
		.note = "0: no limit"},
	{.name = "half-closed-timeout",
		.values = "S",
		.help = "Seconds of silence after which a connection is reset that one side has "
			"ended",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct proxy, silence),
		.standard = "60",
		.note = "0: never"},
	{0},
};

static const struct hubbub_metric metrics[] = {
	[PROXY_UP] = {.name = "proxy_up_bytes_total", .help = "Bytes from clients to the server."},
	[PROXY_DOWN] = {.name = "proxy_down_bytes_total",
		.help = "Bytes from the server to clients."},
	[PROXY_OPEN] = {.name = "proxy_upstream_connections",
		.help = "Connections to the server.",
		.kind = HUBBUB_GAUGE},
	[PROXY_FAILED] = {.name = "proxy_connects_failed_total",
		.help = "Addresses of the server that did not answer, and names that have none."},
	[PROXY_REFUSED] = {.name = "proxy_refused_total",
		.help = "Clients for whom there was no place (--max-upstream)."},
	[PROXY_RESET] = {.name = "proxy_resets_total",
		.help = "Clients that were reset, since they did not get all."},
	{0},
};

static void
serve(int client, void *context)
{
	const struct proxy *proxy = context;
	int server = upstream_connect(&proxy->upstream);

	if (server == -1)
		return;
	relay_run(client, server, proxy->silence);
	upstream_close(server);
}

int
main(int argc, char **argv)
{
	static struct proxy proxy = {.upstream = {.host = "127.0.0.1", .port = "5432"}};
	static const struct hubbub_service service = {
		.name = "proxy",
		.version = "1.0",
		.listen = "127.0.0.1:6432",
		.serve = serve,
		.options = options,
		.context = &proxy,
		.context_size = sizeof proxy,
		.metrics = metrics,
	};

	return hubbub_main(argc, argv, &service);
}

/* http: a web server, with files, and an echo that shows how bodies are read and answered.
 * hubbub_main has the processes, threads and options of every server (--help); here is what this
 * one has besides.
 *
 *	http --root=DIRECTORY
 *	curl http://127.0.0.1:8080/hello */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "metrics.h"
#include "request.h"

struct http {
	const char *path; /* of the files; "": there are none */
	int root;         /* the directory, open in each worker */
	struct limits limits;
};

static const struct hubbub_option options[] = {
	{.name = "root",
		.values = "DIRECTORY",
		.help = "Where the files are",
		.kind = HUBBUB_STRING,
		HUBBUB_FIELD(struct http, path),
		.standard = "",
		.note = "no files"},
	{.name = "longest-line",
		.values = "BYTES",
		.help = "Longest request line, and longest field",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct http, limits.head.line),
		.standard = "4000",
		.least = 100,
		.most = PATH_SIZE},
	{.name = "longest-head",
		.values = "BYTES",
		.help = "Longest head of a request",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct http, limits.head.all),
		.standard = "16K",
		.least = 1000,
		.most = 1 << 20},
	{.name = "most-fields",
		.values = "N",
		.help = "Most fields of a request",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct http, limits.head.fields),
		.standard = "100",
		.least = 10,
		.most = 10000},
	{.name = "longest-body",
		.values = "BYTES",
		.help = "Longest body; it is kept in memory",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct http, limits.body),
		.standard = "1M",
		.most = 1 << 30},
	{.name = "head-timeout",
		.values = "S",
		.help = "How long a head may take from its first byte on",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct http, limits.head_time),
		.standard = "10",
		.least = HUB_MILLISECOND},
	{.name = "body-timeout",
		.values = "S",
		.help = "How long a body may take",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct http, limits.body_time),
		.standard = "60",
		.least = HUB_MILLISECOND},
	{0},
};

static const struct hubbub_metric metrics[] = {
	[HTTP_REFUSED] = {.name = "http_refused_total", .help = "Requests that were refused."},
	[HTTP_LATE] = {.name = "http_late_total", .help = "Requests that took too long to come."},
	{0},
};

static const char *
start_worker(void *context)
{
	struct http *http = context;

	http->root = -1;
	if (http->path[0] == '\0')
		return NULL;
	http->root = open(http->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return http->root >= 0 ? NULL
			       : hubbub_why("cannot open %s: %s", http->path, strerror(errno));
}

static const char *
stop_worker(void *context)
{
	struct http *http = context;

	if (http->root >= 0)
		close(http->root);
	return NULL;
}

static void
serve(int client, void *context)
{
	const struct http *http = context;

	connection_serve(client, http->root, &http->limits);
}

int
main(int argc, char **argv)
{
	static struct http http;
	static const struct hubbub_service service = {
		.name = "http",
		.version = "1.0",
		.listen = "127.0.0.1:8080",
		.serve = serve,
		.options = options,
		.context = &http,
		.context_size = sizeof http,
		.hooks = {.worker_start = start_worker, .worker_stop = stop_worker},
		.metrics = metrics,
	};

	return hubbub_main(argc, argv, &service);
}

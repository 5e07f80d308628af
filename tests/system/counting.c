/* A service with metrics of its own, for test_metrics.c. It obeys each line, and answers with the
 * worker that did:
 *
 *	lookup N     counts N lookups
 *	key N        has N keys more, in its hub
 *	size N       records a size
 *	serve MS     is at work for MS (hubbub_busy, hubbub_idle)
 *	end MS       the same, but ends the connection in place of hubbub_idle
 *	work         is at work from now on; its line is its last
 *
 * While there is the file that COUNTING_NEXT names, it starts as its next release, with another
 * table: some metrics have another index, one has another kind, and one is new. */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS, LOOKUPS, SIZES, FLIP };

static const struct hubbub_metric metrics[] = {
	[KEYS] = {"counting_keys", "Keys.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	[LOOKUPS] = {"counting_lookups_total", "Lookups.", HUBBUB_COUNTER, HUBBUB_ONES, {NULL}},
	[SIZES] = {"counting_sizes", "Sizes.", HUBBUB_HISTOGRAM, HUBBUB_ONES, {NULL}},
	[FLIP] = {"counting_flip", "Of one kind, then of another.", HUBBUB_GAUGE, HUBBUB_ONES,
		{NULL}},
	{.name = NULL},
};

enum { NEW, NEXT_FLIP, NEXT_SIZES, NEXT_LOOKUPS, NEXT_KEYS };

static const struct hubbub_metric next_metrics[] = {
	[NEW] = {"counting_news_total", "News.", HUBBUB_COUNTER, HUBBUB_ONES, {NULL}},
	[NEXT_FLIP] = {"counting_flip", "Of another kind now.", HUBBUB_HISTOGRAM, HUBBUB_ONES,
		{NULL}},
	[NEXT_SIZES] = {"counting_sizes", "Sizes.", HUBBUB_HISTOGRAM, HUBBUB_ONES, {NULL}},
	[NEXT_LOOKUPS] = {"counting_lookups_total", "Lookups.", HUBBUB_COUNTER, HUBBUB_ONES,
		{NULL}},
	[NEXT_KEYS] = {"counting_keys", "Keys.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	{.name = NULL},
};

static bool is_next;

static void
work(int client, const char *line, long milliseconds)
{
	hubbub_busy(client);
	hub_sleep(milliseconds * HUB_MILLISECOND);
	if (strcmp(line, "serve") == 0)
		hubbub_idle(client);
}

/* Returns whether the connection goes on. */
static bool
obey(int client, const char *line, long number)
{
	if (strcmp(line, "lookup") == 0)
		hubbub_count(is_next ? NEXT_LOOKUPS : LOOKUPS, (uint64_t)number);
	else if (strcmp(line, "key") == 0)
		hubbub_gauge_add(is_next ? NEXT_KEYS : KEYS, number);
	else if (strcmp(line, "size") == 0)
		hubbub_record(is_next ? NEXT_SIZES : SIZES, number);
	else
		work(client, line, number);
	return strcmp(line, "end") != 0;
}

static void
serve(int client, void *context)
{
	struct hub_stream *stream = hub_stream_new(client, NULL);
	const char *line;
	bool goes_on = true;

	(void)context;
	if (stream == NULL)
		return;
	if (!is_next)
		hubbub_gauge_set(FLIP, 1);
	while (goes_on && (line = hub_stream_read_line(stream, NULL)) != NULL) {
		char word[16] = "";
		long number = 0;

		sscanf(line, "%15s %ld", word, &number);
		goes_on = obey(client, word, number);
		hub_stream_printf(stream, "%u\n", hubbub_self()->worker);
	}
	hub_stream_close(stream);
}

int
main(int argc, char **argv)
{
	static struct hubbub_service service = {
		.name = "counting", .version = "1.0", .listen = "127.0.0.1:0", .serve = serve};
	const char *next = getenv("COUNTING_NEXT");

	is_next = next != NULL && access(next, F_OK) == 0;
	service.metrics = is_next ? next_metrics : metrics;
	return hubbub_main(argc, argv, &service);
}

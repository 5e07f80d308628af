/* One client: requests that came together are one run, in one transaction, and their replies leave
 * together. So a pipeline of writes waits for the disk once. */
#include "connection.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdbool.h>

#include "commands.h"
#include "metrics.h"
#include "resp.h"
#include "store.h"

/* Bytes of replies after which a run ends: the rest of its requests is another one. */
#define REPLIES_ENOUGH ((size_t)1 << 20)

struct connection {
	int client;
	struct store *store;
	struct hub_stream *stream;
	size_t longest; /* bytes of a request */
	/* Bytes at the beginning of the input whose requests are run one by one, since together
	 * they have failed. */
	size_t careful;
};

/* Whole requests at the beginning of the input. */
struct run {
	const char *bytes;
	size_t length;
	size_t longest;
	size_t requests;
	size_t asked; /* of them: those that have a reply */
	bool writes;
	struct request next; /* what follows them: a part of a request, or what is none */
	size_t done;         /* bytes that were run */
	struct bytes replies;
};

/* An empty line has no reply. */
static bool
is_asking(const struct request *request)
{
	return !request->is_line || request->name.length > 0;
}

static void
find_run(struct run *run, size_t length, bool is_single)
{
	ssize_t found;

	while ((found = resp_parse(run->bytes + run->length, length - run->length, run->longest,
			&run->next)) > 0) {
		run->length += (size_t)found;
		run->requests++;
		run->asked += is_asking(&run->next);
		run->writes |= command_writes(&run->next);
		if (is_single)
			return;
	}
}

/* Runs the requests from the first one on, also if some were run in a transaction that failed. */
static void
run_requests(struct transaction *transaction, void *argument)
{
	struct run *run = argument;
	struct request request;

	run->done = 0;
	bytes_cut_back(&run->replies, 0);
	while (run->done < run->length && run->replies.length < REPLIES_ENOUGH &&
		transaction->error == 0) {
		run->done += (size_t)resp_parse(
			run->bytes + run->done, run->length - run->done, run->longest, &request);
		if (is_asking(&request))
			command_run(&request, transaction, &run->replies);
	}
}

/* The replies to requests that have failed. */
static void
refuse(struct run *run, const char *why)
{
	hubbub_count(KV_REFUSED, run->asked);
	hubbub_log(HUBBUB_ERROR, "requests have failed count=%zu error=%s", run->asked, why);
	run->done = run->length;
	bytes_cut_back(&run->replies, 0);
	for (size_t i = 0; i < run->asked; i++)
		resp_error(&run->replies, "ERR %s", why);
}

/* Answers a run. Returns whether the client can be spoken to further. */
static bool
answer(struct connection *connection, struct run *run)
{
	int error;
	bool is_sent;

	hubbub_busy(connection->client);
	error = store_run(connection->store, run->writes, run_requests, run);
	if (error != 0 && run->requests > 1 && store_is_undone(connection->store, error)) {
		connection->careful = run->length;
		run->done = 0;
		bytes_cut_back(&run->replies, 0);
	} else if (error != 0) {
		refuse(run, store_why(connection->store, error));
	}
	is_sent = hub_stream_write(connection->stream, run->replies.data, run->replies.length) ==
			  (ssize_t)run->replies.length &&
		  hub_stream_skip(connection->stream, run->done) == (ssize_t)run->done;
	connection->careful -= run->done < connection->careful ? run->done : connection->careful;
	hubbub_idle(connection->client);
	return is_sent;
}

/* Takes what has come, at least so many bytes; how many more are needed then. Returns whether the
 * connection goes on. */
static bool
serve_run(struct connection *connection, size_t *needed)
{
	struct run run = {.longest = connection->longest};
	bool goes_on = true;
	size_t length;

	run.bytes = hub_stream_peek(connection->stream, *needed, &length);
	if (run.bytes == NULL)
		return false;
	find_run(&run, length,
		connection->careful > 0 || !store_has_transactions(connection->store));
	if (run.requests > 0)
		goes_on = answer(connection, &run);
	*needed = run.requests > 0 ? 1 : run.next.needed;
	bytes_free(&run.replies);
	if (run.requests > 0 || run.next.wrong == NULL)
		return goes_on;
	hub_stream_printf(connection->stream, "-ERR Protocol error: %s\r\n", run.next.wrong);
	return false;
}

void
connection_serve(int client, struct store *store, size_t longest)
{
	struct hub_stream_options options = {.longest = longest};
	struct connection connection = {.client = client,
		.store = store,
		.stream = hub_stream_new(client, &options),
		.longest = longest};
	size_t needed = 1;

	if (connection.stream == NULL)
		return; /* no memory */
	while (serve_run(&connection, &needed))
		continue;
	hub_stream_close(connection.stream);
}

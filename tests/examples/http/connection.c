/* One client: requests are read and answered one after the other. The answers to those that came
 * together leave together, since a stream sends what was written before it waits. */
#include "connection.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <sys/socket.h>

#include "answer.h"
#include "files.h"
#include "metrics.h"
#include "request.h"

/* How long a client that is refused may go on sending, and how much, so that it gets the answer:
 * a socket that is closed with bytes unread takes back what was sent. */
#define LINGER_TIME (2 * HUB_SECOND)
#define LINGER_MOST ((size_t)16 << 20)

struct connection {
	int client;
	int root;
	const struct limits *limits;
	struct hub_stream *stream;
	struct request request;
};

/* ---- what there is ---- */

static bool
answer_hello(struct connection *connection, struct answer *answer)
{
	static const char greeting[] = "Hello, world!\n";

	answer->type = "text/plain";
	return answer_text(
		answer, connection->stream, (struct text){greeting, sizeof greeting - 1});
}

/* As it came: by length or in chunks. */
static bool
answer_echo(struct connection *connection, struct answer *answer)
{
	const struct request *request = &connection->request;
	struct text body = {"", 0};

	if (request->body != NULL)
		body.bytes = hub_stream_output(request->body, &body.length);
	answer->type = "application/octet-stream";
	answer->is_chunked = request->is_chunked;
	return answer_text(answer, connection->stream, body);
}

static bool
answer_file(struct connection *connection, struct answer *answer)
{
	if (connection->root < 0)
		return answer_status(answer, connection->stream, 404, "there are no files");
	return files_answer(connection->client, connection->stream, connection->root,
		&connection->request, answer);
}

static bool
answer_request(struct connection *connection, struct answer *answer)
{
	const struct request *request = &connection->request;
	bool is_echo = strcmp(request->path, "/echo") == 0;
	bool gets = request->parser.method == HTTP_GET || request->parser.method == HTTP_HEAD;

	if (is_echo ? request->parser.method != HTTP_POST : !gets) {
		answer->allow = is_echo ? "POST" : "GET, HEAD";
		return answer_status(answer, connection->stream, 405, "not with this method");
	}
	if (is_echo)
		return answer_echo(connection, answer);
	return strcmp(request->path, "/hello") == 0 ? answer_hello(connection, answer)
						    : answer_file(connection, answer);
}

/* ---- one request ---- */

static void
refuse(struct connection *connection)
{
	struct answer answer = {
		.closes = true, .is_head_only = connection->request.parser.method == HTTP_HEAD};

	hubbub_count(connection->request.status == 408 ? HTTP_LATE : HTTP_REFUSED, 1);
	answer_status(
		&answer, connection->stream, connection->request.status, connection->request.wrong);
}

/* Reads a part of the request within that time. Returns whether it is there; otherwise the
 * connection ends, with an answer if request->status is set. */
static bool
is_read(struct connection *connection, bool (*read)(struct request *, struct hub_stream *),
	int64_t time)
{
	struct hub_timeout scope;
	bool is_there;

	hub_timeout_start(&scope, time);
	is_there = read(&connection->request, connection->stream);
	if (hub_timeout_stop(&scope) && !is_there)
		request_refuse(&connection->request, 408, "it takes too long to come");
	return is_there;
}

/* The client waits for a word before it sends the body; a part may be here all the same. */
static bool
ask_for_body(struct connection *connection)
{
	static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (!connection->request.has_body || !connection->request.expects_continue ||
		hub_stream_buffered(connection->stream) > 0)
		return true;
	return hub_stream_write(connection->stream, words, sizeof words - 1) ==
	       (ssize_t)sizeof words - 1;
}

/* Reads a request and answers it. Returns whether the connection goes on. */
static bool
serve_request(struct connection *connection)
{
	struct request *request = &connection->request;
	struct answer answer = {.status = 200};

	if (!is_read(connection, request_read_head, connection->limits->head_time))
		return false;
	hubbub_busy(connection->client);
	if (!ask_for_body(connection) ||
		!is_read(connection, request_read_body, connection->limits->body_time))
		return false;
	answer.closes = !llhttp_should_keep_alive(&request->parser) || hubbub_is_draining();
	answer.stays = request->parser.http_minor == 0 && !answer.closes;
	answer.is_head_only = request->parser.method == HTTP_HEAD;
	return answer_request(connection, &answer) && !answer.closes;
}

/* ---- all of them ---- */

/* Waits for a request, as long as --idle-timeout has it. An empty line before it is ignored: some
 * clients send one behind a body. */
static bool
has_next(struct hub_stream *stream)
{
	size_t length;
	const char *bytes = hub_stream_peek(stream, 1, &length);

	if (bytes != NULL && bytes[0] == '\r')
		bytes = hub_stream_peek(stream, 2, &length);
	if (bytes != NULL && memcmp(bytes, "\r\n", length < 2 ? length : 2) == 0)
		return hub_stream_skip(stream, 2) == 2 &&
		       hub_stream_peek(stream, 1, &length) != NULL;
	return bytes != NULL;
}

static void
linger(struct connection *connection)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, LINGER_TIME);
	if (hub_stream_flush(connection->stream) == 0 &&
		hub_shutdown(connection->client, SHUT_WR) == 0)
		hub_stream_skip(connection->stream, LINGER_MOST);
	hub_timeout_stop(&scope);
}

void
connection_serve(int client, int root, const struct limits *limits)
{
	struct hub_stream_options options = {.longest = limits->head.all + 1};
	struct connection connection = {.client = client,
		.root = root,
		.limits = limits,
		.stream = hub_stream_new(client, &options)};
	bool goes_on = true, is_refused = false;

	if (connection.stream == NULL)
		return; /* no memory */
	while (goes_on && has_next(connection.stream)) {
		request_begin(&connection.request, limits);
		goes_on = serve_request(&connection);
		is_refused = connection.request.status != 0;
		if (is_refused)
			refuse(&connection);
		request_free(&connection.request);
		hubbub_idle(client);
	}
	if (!goes_on)
		linger(&connection);
	hub_stream_close(connection.stream);
}

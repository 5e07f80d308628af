/* llhttp has the grammar, and head.c is stricter where a proxy might read another thing. What both
 * let through is judged here. */
#include "request.h"

#include <errno.h>
#include <string.h>

#include "date.h"
#include "target.h"

/* Bytes that chunks and their extensions may add to a body: so many, and so many for each of its
 * bytes, for a chunk may have a single one: "1\r\nx\r\n". */
#define FRAMING_MOST ((uint64_t)16 << 10)
#define FRAMING_SHARE 8

bool
request_refuse(struct request *request, int status, const char *wrong)
{
	if (request->status == 0) {
		request->status = status;
		request->wrong = wrong;
	}
	return false;
}

/* ---- what llhttp finds ---- */

static int
found_target(llhttp_t *parser, const char *bytes, size_t length)
{
	struct request *request = parser->data;

	request->target = (struct text){bytes, length};
	return HPE_OK;
}

static int
found_field(llhttp_t *parser, const char *bytes, size_t length)
{
	struct request *request = parser->data;

	request->field = (struct text){bytes, length};
	return HPE_OK;
}

/* llhttp itself reads Content-Length and Connection. */
static int
found_value(llhttp_t *parser, const char *bytes, size_t length)
{
	struct request *request = parser->data;
	struct text value = {bytes, length};

	while (value.length > 0 && strchr(" \t", value.bytes[value.length - 1]) != NULL)
		value.length--;
	if (request->has_body) {
		/* a trailer: nobody asks for it */
	} else if (text_is(request->field, "host")) {
		request->host = value;
		request->hosts++;
	} else if (text_is(request->field, "transfer-encoding")) {
		request->coding = value;
		request->codings++;
	} else if (text_is(request->field, "expect")) {
		request->expectation = value;
		request->expectations++;
	} else if (text_is(request->field, "if-modified-since")) {
		request->since = date_parse(value);
	}
	return HPE_OK;
}

static int
found_head(llhttp_t *parser)
{
	parser->upgrade = 0; /* to no other protocol */
	return HPE_PAUSED;
}

static int
found_chunk(llhttp_t *parser)
{
	struct request *request = parser->data;

	if (parser->content_length > request->limits->body - request->body_length) {
		request_refuse(request, 413, "the body is too long");
		return HPE_USER;
	}
	request->has_trailer = parser->content_length == 0;
	return request->has_trailer ? HPE_PAUSED : HPE_OK;
}

static int
found_body(llhttp_t *parser, const char *bytes, size_t length)
{
	struct request *request = parser->data;

	request->body_length += length;
	if (hub_stream_write(request->body, bytes, length) == (ssize_t)length)
		return HPE_OK;
	request_refuse(request, 503, "there is no memory for the body");
	return HPE_USER;
}

static int
found_end(llhttp_t *parser)
{
	struct request *request = parser->data;

	request->is_whole = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_url = found_target,
	.on_header_field = found_field,
	.on_header_value = found_value,
	.on_headers_complete = found_head,
	.on_chunk_header = found_chunk,
	.on_body = found_body,
	.on_message_complete = found_end};

/* Parses bytes that have come. Returns how many of them; less if llhttp has paused, or if the
 * request is refused. */
static size_t
parse(struct request *request, const char *bytes, size_t length)
{
	switch (llhttp_execute(&request->parser, bytes, length)) {
	case HPE_OK:
		return length;
	case HPE_PAUSED:
		llhttp_resume(&request->parser);
		return (size_t)(llhttp_get_error_pos(&request->parser) - bytes);
	case HPE_INVALID_METHOD:
		request_refuse(request, 501, "the method is not known");
		return 0;
	default:
		request_refuse(request, 400, llhttp_get_error_reason(&request->parser));
		return 0;
	}
}

/* ---- what it means ---- */

/* How a body ends, if there is one. */
static bool
judge_coding(struct request *request)
{
	if (request->codings == 0)
		return true;
	if (request->codings > 1 || request->parser.http_minor == 0)
		return request_refuse(request, 400, "the transfer coding is in doubt");
	if ((request->parser.flags & F_CHUNKED) == 0)
		return request_refuse(request, 400, "the body has no end");
	if (!text_is(request->coding, "chunked"))
		return request_refuse(request, 501, "the transfer coding is not known");
	request->is_chunked = true;
	return true;
}

static bool
judge_host(struct request *request)
{
	if (request->hosts > 1 || (request->hosts == 0 && request->parser.http_minor > 0))
		return request_refuse(request, 400, "it has to have one host");
	if (!target_is_host(request->host))
		return request_refuse(request, 400, "the host is none");
	return true;
}

static bool
judge_body(struct request *request)
{
	bool has_length = (request->parser.flags & F_CONTENT_LENGTH) != 0;

	request->has_body = request->is_chunked || request->parser.content_length > 0;
	if (!request->is_chunked && !has_length && request->parser.method == HTTP_POST)
		return request_refuse(request, 411, "the body has no length");
	if (request->parser.content_length > request->limits->body)
		return request_refuse(request, 413, "the body is too long");
	if (request->expectations > 0 && !text_is(request->expectation, "100-continue"))
		return request_refuse(request, 417, "the expectation is not known");
	request->expects_continue = request->expectations > 0 && request->parser.http_minor > 0;
	return true;
}

static bool
judge(struct request *request)
{
	if (request->parser.method == HTTP_CONNECT)
		return request_refuse(request, 501, "this is no proxy");
	if (!judge_coding(request) || !judge_host(request) || !judge_body(request))
		return false;
	if (!target_decode(request->target, request->path, sizeof request->path))
		return request_refuse(request, 400, "the target is none");
	return true;
}

/* ---- reading ---- */

void
request_begin(struct request *request, const struct limits *limits)
{
	/* All but the path. */
	memset(request, 0, offsetof(struct request, path));
	memset((char *)request + offsetof(struct request, since), 0,
		sizeof *request - offsetof(struct request, since));
	llhttp_init(&request->parser, HTTP_REQUEST, &settings);
	request->parser.data = request;
	request->limits = limits;
	request->since = -1;
}

void
request_free(struct request *request)
{
	hub_stream_free(request->body);
}

/* Reads a head, or trailers, and parses them in one piece. */
static bool
read_lines(struct request *request, struct hub_stream *stream, bool is_trailer)
{
	struct head head = {0};
	size_t length = 0, found = 0;
	const char *bytes;

	while (found == 0) {
		bytes = hub_stream_peek(stream, length + 1, &length);
		if (bytes == NULL)
			return false;
		found = head_find(&head, bytes, length, is_trailer, &request->limits->head);
		if (head.status != 0)
			return request_refuse(request, head.status, head.wrong);
	}
	if (parse(request, bytes, found) != found)
		return request_refuse(request, 400, "its head ends too early");
	if (!is_trailer && !judge(request))
		return false;
	return hub_stream_skip(stream, found) == (ssize_t)found;
}

bool
request_read_head(struct request *request, struct hub_stream *stream)
{
	return read_lines(request, stream, false);
}

static bool
read_some(struct request *request, struct hub_stream *stream)
{
	size_t length, parsed;
	const char *bytes = hub_stream_peek(stream, 1, &length);

	if (bytes == NULL)
		return false;
	parsed = parse(request, bytes, length);
	request->wire_length += parsed;
	if (request->wire_length - request->body_length >
		FRAMING_MOST + FRAMING_SHARE * request->body_length)
		return request_refuse(request, 400, "the chunks have more about them than in them");
	return request->status == 0 && hub_stream_skip(stream, parsed) == (ssize_t)parsed;
}

bool
request_read_body(struct request *request, struct hub_stream *stream)
{
	bool goes_on = true;

	if (!request->has_body)
		return true;
	request->body = hub_stream_new_memory("", 0, NULL);
	if (request->body == NULL)
		return request_refuse(request, 503, "there is no memory for the body");
	while (goes_on && !request->is_whole)
		goes_on = request->has_trailer ? read_lines(request, stream, true)
					       : read_some(request, stream);
	return goes_on;
}

/* Answers: a head, and a body by length or in chunks. */
#include "answer.h"

#include <stdio.h>

#include "date.h"

#define CHUNK ((size_t)16 << 10)

static const char *
phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {{200, "OK"}, {304, "Not Modified"}, {400, "Bad Request"}, {403, "Forbidden"},
		{404, "Not Found"}, {405, "Method Not Allowed"}, {408, "Request Timeout"},
		{411, "Length Required"}, {413, "Content Too Large"}, {414, "URI Too Long"},
		{417, "Expectation Failed"}, {431, "Request Header Fields Too Large"},
		{501, "Not Implemented"}, {503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"}};

	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Internal Server Error";
}

bool
answer_head(const struct answer *answer, struct hub_stream *stream)
{
	hub_stream_printf(stream, "HTTP/1.1 %d %s\r\nDate: %s\r\n", answer->status,
		phrase(answer->status), date_now());
	if (answer->is_chunked)
		hub_stream_printf(stream, "Transfer-Encoding: chunked\r\n");
	else if (answer->status != 304)
		hub_stream_printf(
			stream, "Content-Length: %llu\r\n", (unsigned long long)answer->length);
	if (answer->type != NULL)
		hub_stream_printf(stream, "Content-Type: %s\r\n", answer->type);
	if (answer->modified != 0)
		hub_stream_printf(stream, "Last-Modified: %s\r\n", date_of(answer->modified).text);
	if (answer->allow != NULL)
		hub_stream_printf(stream, "Allow: %s\r\n", answer->allow);
	if (answer->closes || answer->stays)
		hub_stream_printf(
			stream, "Connection: %s\r\n", answer->closes ? "close" : "keep-alive");
	return hub_stream_write(stream, "\r\n", 2) == 2;
}

static bool
write_chunked(struct hub_stream *stream, struct text body)
{
	for (; body.length > 0;) {
		size_t length = body.length < CHUNK ? body.length : CHUNK;

		if (hub_stream_printf(stream, "%zx\r\n", length) < 0 ||
			hub_stream_write(stream, body.bytes, length) != (ssize_t)length ||
			hub_stream_write(stream, "\r\n", 2) != 2)
			return false;
		body.bytes += length;
		body.length -= length;
	}
	return hub_stream_write(stream, "0\r\n\r\n", 5) == 5;
}

bool
answer_text(struct answer *answer, struct hub_stream *stream, struct text body)
{
	answer->length = body.length;
	if (!answer_head(answer, stream))
		return false;
	if (answer->is_head_only)
		return true;
	if (answer->is_chunked)
		return write_chunked(stream, body);
	return hub_stream_write(stream, body.bytes, body.length) == (ssize_t)body.length;
}

bool
answer_status(struct answer *answer, struct hub_stream *stream, int status, const char *why)
{
	char body[128];
	int length = snprintf(body, sizeof body, "%s: %s\n", phrase(status), why);

	answer->status = status;
	answer->type = "text/plain";
	return answer_text(answer, stream, (struct text){body, (size_t)length});
}

/* One request: what its head says, and its body. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <hubbub/hub.h>
#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "head.h"
#include "text.h"

#define PATH_SIZE 4096

struct limits {
	struct head_limits head;
	size_t body;       /* bytes */
	int64_t head_time; /* nanoseconds from its first byte to its last one */
	int64_t body_time;
};

struct request {
	llhttp_t parser; /* the method, and what comes next */
	const struct limits *limits;
	char path[PATH_SIZE]; /* decoded; begins with '/', or is "*" */
	time_t since;         /* If-Modified-Since; or -1 */
	bool has_body;
	bool is_chunked;         /* the body */
	bool expects_continue;   /* before it sends the body */
	struct hub_stream *body; /* over memory: hub_stream_output has it; NULL: none */

	/* Why it is refused: the answer's status, and a sentence. 0: it is not. */
	int status;
	const char *wrong;

	/* The fields, while they are read. */
	struct text field, target, host, coding, expectation;
	unsigned hosts, codings, expectations;
	/* The body, while it is read. */
	uint64_t body_length, wire_length;
	bool has_trailer; /* comes next */
	bool is_whole;
};

/* Begins a request; request_free ends it. */
void request_begin(struct request *request, const struct limits *limits);
void request_free(struct request *request);

/* Reads the head. Returns false if there is no request: it is refused, or the connection has ended
 * or fails. Switches: yes. */
bool request_read_head(struct request *request, struct hub_stream *stream);

/* Reads the body, of which the head has told. Returns as request_read_head. Switches: yes. */
bool request_read_body(struct request *request, struct hub_stream *stream);

/* Refuses it. Returns false. */
bool request_refuse(struct request *request, int status, const char *wrong);

#endif

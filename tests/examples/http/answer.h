/* What a client gets. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <hubbub/hub.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "text.h"

struct answer {
	int status;
	const char *type;  /* of the body */
	uint64_t length;   /* of the body */
	time_t modified;   /* Last-Modified; 0: not known */
	const char *allow; /* methods, where the request had another one; or NULL */
	bool is_chunked;   /* the body follows in chunks, of a length that is not told */
	bool closes;       /* the connection */
	bool stays;        /* and tells so: to a client of HTTP/1.0 */
	bool is_head_only; /* HEAD */
};

/* Each writes to the stream, and returns whether that can be spoken to further. Switch: yes. */
bool answer_head(const struct answer *answer, struct hub_stream *stream);
bool answer_text(struct answer *answer, struct hub_stream *stream, struct text body);
/* A sentence as the body. */
bool answer_status(struct answer *answer, struct hub_stream *stream, int status, const char *why);

#endif

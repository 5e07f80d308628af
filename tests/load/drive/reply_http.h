/* Replies of HTTP/1. */
#ifndef HUBBUB_LOAD_REPLY_HTTP_H
#define HUBBUB_LOAD_REPLY_HTTP_H

#include "tests/load/ask/reply_form.h"
#include "tests/load/drive/reply_state.h"

/* As reply_take (tests/load/drive/reply.h). */
struct reply_piece reply_http_take(
	const struct reply_form *form, struct reply *reply, const char *bytes, size_t length);

/* Whether the body goes on until the connection ends. */
bool reply_http_is_open_ended(const struct reply *reply);

#endif

/* Replies of RESP2, the protocol of Redis. */
#ifndef HUBBUB_LOAD_REPLY_RESP_H
#define HUBBUB_LOAD_REPLY_RESP_H

#include "tests/load/ask/reply_form.h"
#include "tests/load/drive/reply_state.h"

/* As reply_take (tests/load/drive/reply.h). */
struct reply_piece reply_resp_take(
	const struct reply_form *form, struct reply *reply, const char *bytes, size_t length);

#endif

/* Where a reply ends, whatever its kind. */
#ifndef HUBBUB_LOAD_REPLY_H
#define HUBBUB_LOAD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/load/ask/reply_form.h"
#include "tests/load/drive/reply_state.h"

/* Takes a piece of a reply: as many of the bytes, of which there is one at least, as belong to this
 * reply and are of one kind. The form is not REPLY_ECHO. */
struct reply_piece reply_take(
	const struct reply_form *form, struct reply *reply, const char *bytes, size_t length);

/* Whether the reply, which has begun, is complete if the connection ends now. */
bool reply_ends_by_close(const struct reply_form *form, const struct reply *reply);

#endif

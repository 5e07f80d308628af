/* What flows in one direction of a wire, through a stream at either end. Nothing is laid down: what
 * calls say that they have written is compared with what others have read, whichever is told first.
 * So a byte that is lost, comes twice or out of order, or from another current, is seen. */
#ifndef HUBBUB_TESTS_SIM_CURRENTS_H
#define HUBBUB_TESTS_SIM_CURRENTS_H

#include <hubbub/hub.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/wires.h"

struct current {
	struct wire *wire;
	int from; /* the end at which it is written */
	/* HUB_FRAME_LINE: text, which calls of all kinds write; else frames of that kind. */
	enum hub_frame kind;
	unsigned char *bytes; /* all that are known */
	size_t size, known;
	size_t said, seen; /* how many were written, and read */
	uint64_t drawn;    /* bytes that were made up so far */
	/* It is not known how many bytes a call has written or read: nothing is compared. */
	bool is_torn;
	unsigned writers;  /* coroutines in calls that write */
	bool is_copied_to; /* by a call whose bytes come in pieces: nobody else writes */
	bool is_read;      /* by a call that only returns or waits for input */
	size_t owed;       /* bytes of a frame that was too long, which are not read yet */
	struct hub_lock reads;
};

/* Makes up bytes which tell the current and their place in it; of text, letters and newlines. */
void current_draw(struct current *current, unsigned char *bytes, size_t length);

/* A call says that it has written, or read, these. */
void current_say(struct current *current, const void *bytes, size_t length);
void current_see(struct current *current, const void *bytes, size_t length);

/* These come next, and are not read yet. */
void current_peek(struct current *current, const void *bytes, size_t length);

/* Bytes that a call has copied to another current: so many of those that were said. NULL: nobody
 * knows them. */
const unsigned char *current_next(const struct current *current, size_t length);

/* The input has ended. Whether it may have before all came that was said: somebody has seen an
 * error, still writes, or has lost what a stream held. */
bool current_may_lack_bytes(const struct current *current);

/* The input has ended: complains if that is too early. */
void current_end(const struct current *current);

/* The head and the tail of a frame; at most FRAME_HEAD_MOST bytes. Returns those of the head. */
enum { FRAME_HEAD_MOST = 32 };
size_t frame_head(enum hub_frame kind, uint64_t length, unsigned char *head);
const char *frame_tail(enum hub_frame kind);

/* The length that the head at the beginning of the bytes tells, and in *size the head's bytes. */
uint64_t frame_length(enum hub_frame kind, const unsigned char *bytes, size_t *size);

void current_free(struct current *current);

#endif

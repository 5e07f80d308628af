/* The flight recorder of this thread's hub: what the hub does, as records in a ring
 * (base/flight.h). For the worker, which says when and into which ring; what is recorded, each
 * module of the hub says itself (recorder_priv.h). The thread that calls is the hub's own. */
#ifndef HUBBUB_DEBUG_RECORDING_H
#define HUBBUB_DEBUG_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/flight.h"
#include "hub/base/inside.h"

/* Starts recording into the ring, of size bytes, which stays the caller's; what it has is
 * continued.
 * Switches: no.  Returns 0, or -1 with errno EPERM (no hub runs), EALREADY, EINVAL (too small) or
 * ENOMEM. */
int recording_start(struct flight_ring *ring, size_t size) HUB_INSIDE(recording_start);

/* Stops; does nothing if nothing is recorded. The ring is not touched any more. */
void recording_stop(void) HUB_INSIDE(recording_stop);

/* Whether this thread's hub records. */
bool recording_is_on(void) HUB_INSIDE(recording_is_on);

/* Records something of the running coroutine's, or of a callback of the loop; does nothing if this
 * thread has no hub that records. Keeps errno. */
void recording_note(enum flight_kind kind, uint32_t detail, uint64_t value)
	HUB_INSIDE(recording_note);

/* The same of a text, such as a line of the log. */
void recording_note_text(uint32_t detail, const char *text, size_t length)
	HUB_INSIDE(recording_note_text);

/* Looks the names up of functions that were recorded without. Reads the program's file, on the
 * thread's own stack. Call it now and then in a coroutine, and before the end. Switches: no. */
void recording_name_functions(void) HUB_INSIDE(recording_name_functions);

#endif

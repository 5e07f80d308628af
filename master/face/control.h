/* The control socket, by which hubbub-ctl talks to the master.
 *
 * A client sends one line, "COMMAND [ARGUMENT]\n", and gets lines, of which the first character
 * says what they are, until the server closes the connection:
 *
 *	| output      - progress      + done, successfully      ! failed, and why
 *
 * Who may ask for what, rights.h says; whoever may ask for nothing is not heard. Clients that send
 * garbage, or do not read, are dropped; none keeps the master waiting. */
#ifndef HUBBUB_FACE_CONTROL_H
#define HUBBUB_FACE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "master/master.h"

/* Listens at path, or with NULL at the default of control_file, and fills in what is handed on of
 * it. The file becomes the user's of master->privileges, if that changes. Returns the descriptor,
 * or -1 after logging; *is_fatal tells whether the path was asked for. */
int control_listen(
	const struct master *master, const char *path, struct handed_on *on, bool *is_fatal);

/* Closes the socket that was handed on, which nobody answers at, and removes its file if that is
 * this master's. */
void control_discard(struct handed_on *on, bool is_ours);

/* Makes what will answer at the socket that was handed on, which it owns, with its file. NULL after
 * logging; the socket is still the caller's. */
struct control *control_new(struct master *master);

/* Begins, and ceases, to hear. */
void control_start(struct control *control);
void control_pause(struct control *control);

/* Makes the file again if somebody has removed it; cheap if not. NULL is ignored. */
void control_look(struct control *control);

/* The change that clients wait for has ended; why is NULL if it succeeded. */
void control_changed(struct control *control, const char *why);

/* A hub has written its coroutines, as it was asked with that number. */
void control_dumped(struct control *control, int64_t number);

/* So many hubs will not, because their worker had no file left for it. */
void control_dump_missed(struct control *control, int64_t number, unsigned hubs);

/* Closes everything, and removes the socket unless another master has it. NULL is ignored. */
void control_close(struct control *control, bool is_ours);

#endif

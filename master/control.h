/* The control socket, by which hubbub-ctl talks to the master.
 *
 * A client sends one line, "COMMAND [ARGUMENT]\n", and gets lines, of which the first character
 * says what they are, until the server closes the connection:
 *
 *	| output      - progress      + done, successfully      ! failed, and why
 *
 * Nobody but root and the server's own user is heard. Clients that send garbage, or do not read,
 * are dropped; none keeps the master waiting. */
#ifndef HUBBUB_MASTER_CONTROL_H
#define HUBBUB_MASTER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "master/identity.h"
#include "master/master.h"

/* Listens at path, or with NULL at the default, NAME-PORT.sock in /run/hubbub or $XDG_RUNTIME_DIR,
 * of which chosen gets the path. The file becomes the identity's, if that changes. Returns the
 * descriptor, or -1 after logging; *is_fatal tells whether the path was asked for. */
int control_listen(const struct master *master, const char *path, const struct identity *identity,
	char chosen[static MASTER_PATH_SIZE], bool *is_fatal);

/* Makes what will answer at a listening socket, which it owns, with its file. NULL after
 * logging. */
struct control *control_new(struct master *master, int fd, const char *path);

/* Begins, and ceases, to hear. */
void control_start(struct control *control);
void control_pause(struct control *control);

/* The change that clients wait for has ended; why is NULL if it succeeded. */
void control_changed(struct control *control, const char *why);

/* A hub has written its coroutines, as it was asked with that number. */
void control_dumped(struct control *control, int64_t number);

/* Closes everything, and removes the socket unless another master has it. NULL is ignored. */
void control_close(struct control *control, bool is_ours);

#endif

/* The control socket, by which hubbub-ctl talks to the master.
 *
 * A client sends one line, "COMMAND [ARGUMENT]\n", and gets lines, of which the first character says
 * what they are, until the server closes the connection:
 *
 *	| output      - progress      + done, successfully      ! failed, and why
 *
 * Nobody but root and the server's own user is heard. Clients that send garbage, or do not read, are
 * dropped; none keeps the master waiting. */
#ifndef HUBBUB_MASTER_CONTROL_H
#define HUBBUB_MASTER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "master/identity.h"

struct master;
struct control;

/* Opens the socket: at path, or with NULL at the default, NAME-PORT.sock in /run/hubbub or
 * $XDG_RUNTIME_DIR. It becomes the identity's, if that changes. NULL after logging; *is_fatal tells
 * whether the path was asked for. */
struct control *control_open(
	struct master *master, const char *path, const struct identity *identity, bool *is_fatal);

/* Takes a listening socket over from a former master. NULL without memory. */
struct control *control_inherit(struct master *master, int fd, const char *path);

/* Begins, and ceases, to hear. */
void control_start(struct control *control);
void control_pause(struct control *control);

int control_fd(const struct control *control);
const char *control_path(const struct control *control);

/* The change that clients wait for has ended; why is NULL if it succeeded. */
void control_changed(struct control *control, const char *why);

/* A hub has written its coroutines, as it was asked with that number. */
void control_dumped(struct control *control, int64_t number);

/* Closes everything, and removes the socket unless another master has it. NULL is ignored. */
void control_close(struct control *control, bool is_ours);

#endif

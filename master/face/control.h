/* The control socket, by which hubbub-ctl talks to the master.
 *
 * A client sends one line, "COMMAND [ARGUMENT...]" and a newline, and gets lines until the server
 * closes the connection. The first character of each line is its kind:
 *
 *	| output      - progress      + done, successfully      ! failed, and why
 *	? there is no such command, or one of the service's own refuses its arguments
 *
 * With the answer to `trace` comes a file descriptor (worker/recorders.h).
 *
 * COMMAND is one of every server's (commands.h), or one of the service's own (worker/command.h),
 * whose arguments stand apart by one space each, with %20 for a space in them, and so on.
 *
 * rights.h says which users may ask for what; a client without any right is disconnected at once.
 * Clients that send garbage, or do not read, are dropped, and none blocks the master. */
#ifndef HUBBUB_FACE_CONTROL_H
#define HUBBUB_FACE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "master/master.h"

/* Listens on a Unix socket at path, or, if path is NULL, at the default of control_file.h, and
 * fills in control, control_path and control_file of *on. The file gets the user of
 * master->privileges, if this process will become that user. Returns the listening fd, which *on
 * owns, or -1 after logging; *is_fatal tells whether the operator chose the path. */
int control_listen(
	const struct master *master, const char *path, struct handed_on *on, bool *is_fatal);

/* Closes a control socket for which there is no struct control. is_ours: no other master has it, so
 * its file is removed, unless it was replaced. */
void control_discard(struct handed_on *on, bool is_ours);

/* Makes the control for the socket in master->handed_on, which it owns from now on, with its file.
 * It accepts nobody before control_start. NULL after logging that memory ran out; then the caller
 * still owns the socket. */
struct control *control_new(struct master *master);

/* Starts, and stops, accepting. control may be NULL, as in all functions below. */
void control_start(struct control *control);
void control_pause(struct control *control);

/* Makes the socket and its file anew if the file was removed or replaced; cheap if it was not.
 * Notes each change in the history. */
void control_look(struct control *control);

/* Tells the clients that wait for a change that it has ended; why is NULL if it succeeded. */
void control_changed(struct control *control, const char *why);

/* A hub has written its coroutines for the dump of that number. */
void control_dumped(struct control *control, int64_t number);

/* So many hubs will not write for that dump, because their worker had no file descriptor left. */
void control_dump_missed(struct control *control, int64_t number, unsigned hubs);

/* Answers the clients that wait, disconnects all, closes the socket, and frees the control.
 * is_ours: no other master has the socket, so its file is removed, unless it was replaced. */
void control_close(struct control *control, bool is_ours);

#endif

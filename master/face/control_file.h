/* The file of the control socket: where it is, how it comes to be, and what killed servers have
 * left of theirs. */
#ifndef HUBBUB_FACE_CONTROL_FILE_H
#define HUBBUB_FACE_CONTROL_FILE_H

#include <stdbool.h>

#include "master/master.h"
#include "master/sockets/path_identity.h"

/* Chooses the default: NAME-PORT.sock in /run/hubbub, in a folder of the user's there if this
 * server changes its user, or in $XDG_RUNTIME_DIR. A server that is on one address of several has
 * that in the name, too (NAME-10.0.0.1-80.sock), and one with Unix sockets alone a number that
 * stands for the first one's path (NAME-unix-12345678.sock). Removes sockets of servers of that
 * name on which nobody listens. Returns false, with errno and chosen as far as it is known, if
 * there is no folder, or the path is too long. */
bool control_file_choose(const struct master *master, char chosen[static MASTER_PATH_SIZE]);

/* Listens at the path, in place of a socket on which nobody listens. The file is its
 * owner's, who is the user of privileges if that is to change, and of a group that rights.h
 * includes. Returns the descriptor, with *file, or -1 with errno: EADDRINUSE if another server
 * listens there, or is about to. Takes some milliseconds at most. */
int control_file_listen(
	const char *path, const struct privileges *privileges, struct path_identity *file);

#endif

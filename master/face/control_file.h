/* The file of the control socket: its default path, making it, and removing those that killed
 * servers have left. */
#ifndef HUBBUB_FACE_CONTROL_FILE_H
#define HUBBUB_FACE_CONTROL_FILE_H

#include <stdbool.h>

#include "master/master.h"
#include "master/sockets/path_identity.h"

/* Chooses the default path: NAME-PORT.sock in /run/hubbub, in the user's directory there if this
 * server becomes another user, or in $XDG_RUNTIME_DIR. The name contains the host if the server
 * listens on one address of several (NAME-10.0.0.1-80.sock), or a hash of the first path if it
 * listens on Unix sockets alone (NAME-unix-12345678.sock). Removes the sockets of servers of that
 * name on which nobody listens. Returns false with errno, and chosen "" or cut off: ENOENT if there
 * is no directory, ENAMETOOLONG. */
bool control_file_choose(const struct master *master, char chosen[static MASTER_PATH_SIZE]);

/* Listens on a Unix socket at the path, in place of a socket on which nobody listens. The file's
 * mode lets its owner in, and its group if rights_include_group says so; root gives the file to the
 * user of privileges, if that changes. Returns the listening fd, which the caller owns, with the
 * file's identity in *file; or -1 with errno: EADDRINUSE if another server listens there, or is
 * about to. May block for 50 milliseconds. */
int control_file_listen(
	const char *path, const struct privileges *privileges, struct path_identity *file);

#endif

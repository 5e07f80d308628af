/* Who may ask for what at the control socket.
 *
 *	root, and the server's own user       everything
 *	members of the group of its file      what leaves the server serving, if the file lets
 *	                                      them write, and nobody else
 *	others                                nothing, whatever the file's mode
 *
 * Whoever may end a server should be able to start it, which a group is no reason for. */
#ifndef HUBBUB_FACE_RIGHTS_H
#define HUBBUB_FACE_RIGHTS_H

#include <stdbool.h>

#include "master/start/privileges.h"

#define RIGHTS_FOLDER "/run/hubbub" /* for the control sockets of all servers */

enum rights { RIGHTS_NONE, RIGHTS_OPERATE, RIGHTS_ALL };

/* Whether a control socket at the path is to be open to the group of this server, which will run
 * with these privileges: in RIGHTS_FOLDER, and folders there, if they are this user's and group's,
 * and RIGHTS_FOLDER is that group's, too. Another group, such as nogroup, may have many members who
 * were never meant to; and root's is no group of operators. */
bool rights_include_group(const char *path, const struct privileges *privileges);

/* What the peer of a connection to the socket whose file is at the path may ask for. */
enum rights rights_of_peer(int fd, const char *path);

#endif

/* Which user may ask for what at the control socket.
 *
 *	root, and the server's own user       everything
 *	members of the group of its file      what leaves the server serving, if the file lets
 *	                                      them write, and nobody else
 *	others                                nothing, whatever the file's mode
 *
 * Only users that can start the server again may end it; membership of a group does not make a user
 * one. */
#ifndef HUBBUB_FACE_RIGHTS_H
#define HUBBUB_FACE_RIGHTS_H

#include <stdbool.h>

#include "master/start/privileges.h"

#define RIGHTS_DIRECTORY "/run/hubbub" /* where root's servers have their control sockets */

/* The three rows above, from the last to the first. */
enum rights { RIGHTS_NONE, RIGHTS_OPERATE, RIGHTS_ALL };

/* Whether a control socket at the path is to be writable for the group that this server will run
 * as. It is, if its directory is RIGHTS_DIRECTORY or lies there, belongs to the server's user and
 * group, and RIGHTS_DIRECTORY belongs to that group, too. Any other group, such as nogroup, may
 * have members that were never meant as operators; root's group is never one of operators. */
bool rights_include_group(const char *path, const struct privileges *privileges);

/* Returns what the peer of a connected socket may ask for; path is the control socket's file. */
enum rights rights_of_peer(int fd, const char *path);

#endif

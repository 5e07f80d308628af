#include "master/face/rights.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The group of whoever needs none, also of those whose own one a user namespace does not know. */
#define NOGROUP 65534

/* Whether the folder of the path is RIGHTS_FOLDER or in it, whatever links lead there; status gets
 * what it is. */
static bool
is_in_system_folder(const char *path, struct stat *status)
{
	char folder[PATH_MAX], resolved[PATH_MAX], *slash;
	size_t length = sizeof RIGHTS_FOLDER - 1;

	if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
		return false;
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return false;
	*slash = '\0';
	return realpath(folder, resolved) != NULL &&
	       strncmp(resolved, RIGHTS_FOLDER, length) == 0 &&
	       (resolved[length] == '\0' || resolved[length] == '/') && stat(resolved, status) == 0;
}

bool
rights_include_group(const char *path, const struct privileges *privileges)
{
	uid_t user = privileges->changes ? privileges->user : geteuid();
	gid_t group = privileges->changes ? privileges->group : getegid();
	struct stat system, folder;

	return user != 0 && group != 0 && group != NOGROUP && is_in_system_folder(path, &folder) &&
	       folder.st_uid == user && folder.st_gid == group &&
	       stat(RIGHTS_FOLDER, &system) == 0 && system.st_gid == group;
}

/* By its other groups. */
static bool
has_group(int fd, gid_t group)
{
	socklen_t size = 0;
	gid_t *groups;
	bool is_member = false;

	/* How many there are. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false;
	groups = malloc(size);
	if (groups == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		size = 0;
	for (size_t i = 0; i < size / sizeof *groups; i++)
		is_member = is_member || groups[i] == group;
	free(groups);
	return is_member;
}

enum rights
rights_of_peer(int fd, const char *path)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	struct stat file;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return RIGHTS_NONE;
	if (peer.uid == 0 || peer.uid == geteuid())
		return RIGHTS_ALL;
	/* Where everybody may write, the kernel has not looked whether this is a member; and in a
	 * user namespace, as with PrivateUsers=, all strange groups have one number. */
	if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode) || file.st_gid == 0 ||
		(file.st_mode & (S_IWGRP | S_IWOTH)) != S_IWGRP)
		return RIGHTS_NONE;
	return peer.gid == file.st_gid || has_group(fd, file.st_gid) ? RIGHTS_OPERATE : RIGHTS_NONE;
}

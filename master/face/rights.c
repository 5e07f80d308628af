/* Rights come from the peer's credentials, which the kernel recorded at connect (SO_PEERCRED,
 * SO_PEERGROUPS), and not from the file's mode alone: that the peer could connect does not tell
 * which part of the mode let it in. */
#include "master/face/rights.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* nogroup: the group of users that have none, and, in a user namespace, of every group that is not
 * mapped. */
#define NOGROUP 65534

/* Whether the path's directory, with links resolved, is RIGHTS_DIRECTORY or lies in it; status gets
 * that directory's. */
static bool
is_in_system_directory(const char *path, struct stat *status)
{
	char directory[PATH_MAX], resolved[PATH_MAX], *slash;
	size_t length = sizeof RIGHTS_DIRECTORY - 1;

	if (snprintf(directory, sizeof directory, "%s", path) >= (int)sizeof directory)
		return false;
	slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return false;
	*slash = '\0';
	return realpath(directory, resolved) != NULL &&
	       strncmp(resolved, RIGHTS_DIRECTORY, length) == 0 &&
	       (resolved[length] == '\0' || resolved[length] == '/') && stat(resolved, status) == 0;
}

bool
rights_include_group(const char *path, const struct privileges *privileges)
{
	uid_t user = privileges->changes ? privileges->user : geteuid();
	gid_t group = privileges->changes ? privileges->group : getegid();
	struct stat system, directory;

	return user != 0 && group != 0 && group != NOGROUP &&
	       is_in_system_directory(path, &directory) && directory.st_uid == user &&
	       directory.st_gid == group && stat(RIGHTS_DIRECTORY, &system) == 0 &&
	       system.st_gid == group;
}

/* Whether the peer has that group among its supplementary groups. */
static bool
has_group(int fd, gid_t group)
{
	socklen_t size = 0;
	gid_t *groups;
	bool is_member = false;

	/* Asks for the size alone: ERANGE, if there are any. */
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
	/* The group counts only if the file is writable for its group and not for others. Root's
	 * group is never a group of operators. */
	if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode) || file.st_gid == 0 ||
		(file.st_mode & (S_IWGRP | S_IWOTH)) != S_IWGRP)
		return RIGHTS_NONE;
	return peer.gid == file.st_gid || has_group(fd, file.st_gid) ? RIGHTS_OPERATE : RIGHTS_NONE;
}

/* Which file a path names, by device and inode. A file of this server may have been removed, and
 * another created at the same path: that one is not this server's to remove. */
#ifndef HUBBUB_SOCKETS_PATH_IDENTITY_H
#define HUBBUB_SOCKETS_PATH_IDENTITY_H

#include <stdbool.h>
#include <sys/stat.h>

/* A file; an inode of 0 is no file. */
struct path_identity {
	dev_t device;
	ino_t inode;
};

/* Returns the identity of the file at the path, without following a symbolic link; zero if there is
 * no file. */
static inline struct path_identity
path_identity(const char *path)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return (struct path_identity){0};
	return (struct path_identity){status.st_dev, status.st_ino};
}

/* Whether the path still names that file; false if identity is no file. */
static inline bool
path_identity_is(const struct path_identity *identity, const char *path)
{
	struct path_identity now = path_identity(path);

	return identity->inode != 0 && now.device == identity->device &&
	       now.inode == identity->inode;
}

#endif

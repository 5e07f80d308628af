/* Which file a path is, by device and inode: somebody may have removed it, and put another one
 * there. */
#ifndef HUBBUB_SOCKETS_PATH_IDENTITY_H
#define HUBBUB_SOCKETS_PATH_IDENTITY_H

#include <stdbool.h>
#include <sys/stat.h>

/* Zero is none. */
struct path_identity {
	dev_t device;
	ino_t inode;
};

/* What is at the path now; a link is itself. */
static inline struct path_identity
path_identity(const char *path)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return (struct path_identity){0};
	return (struct path_identity){status.st_dev, status.st_ino};
}

static inline bool
path_identity_is(const struct path_identity *identity, const char *path)
{
	struct path_identity now = path_identity(path);

	return identity->inode != 0 && now.device == identity->device &&
	       now.inode == identity->inode;
}

#endif

/* Who the workers run as, and the pid file. */
#ifndef HUBBUB_MASTER_IDENTITY_H
#define HUBBUB_MASTER_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct identity {
	bool changes; /* workers become another user */
	uid_t user;
	gid_t group;
	char name[64]; /* of the user, for its supplementary groups */
};

/* Looks up who --user and --group name (either may be NULL). Returns 0, or -1 after logging that
 * one does not exist or that this process may not become another user. */
int identity_find(struct identity *identity, const char *user, const char *group);

/* Becomes that user for good, in a worker after the fork: the sockets were bound by the master, so
 * all members of a port's group have one owner. Returns 0, or -1 after logging. */
int identity_assume(const struct identity *identity);

/* Writes this process's pid to path, by a rename, so that no reader sees half of it; never over what
 * is no regular file, or names a running server. Returns 0, or -1 after logging. */
int pidfile_write(const char *path);

/* Removes path if it still names this process. NULL is ignored. */
void pidfile_remove(const char *path);

#endif

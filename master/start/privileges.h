/* The user and group that the server runs as. */
#ifndef HUBBUB_START_PRIVILEGES_H
#define HUBBUB_START_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* The user to become; written by privileges_find. */
struct privileges {
	bool changes; /* this process is root, and is to become the user */
	uid_t user;
	gid_t group;
	char name[64]; /* of the user, for its supplementary groups */
};

/* Whether this machine has such a user or group, by name or number. */
bool privileges_has_user(const char *user);
bool privileges_has_group(const char *group);

/* Looks up the names of --user and --group, either of which may be NULL. Returns 0, or -1 after
 * logging that there is no such user or group, or that only root can become another user. */
int privileges_find(struct privileges *privileges, const char *user, const char *group);

/* Becomes that user for good. The process must have one thread. Call it once all sockets are bound:
 * all members of an SO_REUSEPORT group need the same uid. Does nothing if !changes. Returns 0, or
 * -1 after logging. */
int privileges_assume(const struct privileges *privileges);

/* Hides the memory and file descriptors of this process, and of its forks, from all users but root,
 * and disables core dumps: what it read as root, such as a private key, is not for the new user to
 * see. execve undoes it. */
void privileges_hide_for_now(void);

/* Hides them for good if user, the value of --user or NULL, is given and this process is not root;
 * else undoes privileges_hide_for_now. */
void privileges_hide(const char *user);

#endif

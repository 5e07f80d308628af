/* Who the server runs as. */
#ifndef HUBBUB_START_PRIVILEGES_H
#define HUBBUB_START_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

struct privileges {
	bool changes; /* this process becomes another user */
	uid_t user;
	gid_t group;
	char name[64]; /* of the user, for its supplementary groups */
};

/* Whether there is such a user or group on this machine, by its name or its number. */
bool privileges_has_user(const char *user);
bool privileges_has_group(const char *group);

/* Looks up who --user and --group name (either may be NULL). Returns 0, or -1 after logging that
 * one does not exist or that this process may not become another user. */
int privileges_find(struct privileges *privileges, const char *user, const char *group);

/* Becomes that user for good, in every thread, since there is one. After the sockets were bound,
 * because all members of a port's group must have one owner. Returns 0, or -1 after logging. */
int privileges_assume(const struct privileges *privileges);

/* Nobody but root sees this process's memory and descriptors, nor those of the children that it
 * forks: what it read as root, such as the key of a certificate, is not the new user's. Neither are
 * core dumps. An exec undoes it. */
void privileges_hide_for_now(void);

/* The same for good if there is a --user (NULL: none) that is not root; else undoes it. */
void privileges_hide(const char *user);

#endif

#include "master/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hub/base/log.h"

int
identity_find(struct identity *identity, const char *user, const char *group)
{
	const struct passwd *account;

	*identity = (struct identity){.changes = user != NULL};
	if (user == NULL)
		return 0;
	account = getpwnam(user);
	if (account == NULL) {
		log_error("--user: there is no user '%s' on this machine", user);
		return -1;
	}
	identity->user = account->pw_uid;
	identity->group = account->pw_gid;
	snprintf(identity->name, sizeof identity->name, "%s", user);
	if (group != NULL) {
		const struct group *entry = getgrnam(group);

		if (entry == NULL) {
			log_error("--group: there is no group '%s' on this machine", group);
			return -1;
		}
		identity->group = entry->gr_gid;
	}
	if (geteuid() == 0)
		return 0;
	identity->changes = false;
	if (identity->user != geteuid() || identity->group != getegid()) {
		log_error("--user, --group: only root can become '%s'; leave them out, or start as "
			  "root",
			user);
		return -1;
	}
	return 0;
}

int
identity_assume(const struct identity *identity)
{
	if (!identity->changes)
		return 0;
	/* Groups first: once the user has changed, nothing else may. */
	if (initgroups(identity->name, identity->group) == 0 && setgid(identity->group) == 0 &&
		setuid(identity->user) == 0) {
		/* The change of user took away core files and /proc/self. */
		prctl(PR_SET_DUMPABLE, 1);
		return 0;
	}
	log_error("cannot become user '%s': %s", identity->name, strerror(errno));
	return -1;
}

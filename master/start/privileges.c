/* Users and groups are looked up by name first, and by number only if no such name exists.
 * Supplementary groups, gid and uid are set in this sequence: a process that has given up its uid
 * cannot set the others. */
#include "master/start/privileges.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hub/base/log.h"

/* Reads a uid or gid. Returns false if text is not one. */
static bool
read_number(const char *text, unsigned *number)
{
	char *end;
	unsigned long value;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	*number = (unsigned)value;
	/* The greatest number means "no user" to the kernel. */
	return errno == 0 && value < UINT_MAX;
}

static const struct passwd *
find_user(const char *user)
{
	const struct passwd *account = getpwnam(user);
	unsigned number;

	return account != NULL || !read_number(user, &number) ? account : getpwuid(number);
}

static const struct group *
find_group(const char *group)
{
	const struct group *entry = getgrnam(group);
	unsigned number;

	return entry != NULL || !read_number(group, &number) ? entry : getgrgid(number);
}

bool
privileges_has_user(const char *user)
{
	return find_user(user) != NULL;
}

bool
privileges_has_group(const char *group)
{
	return find_group(group) != NULL;
}

int
privileges_find(struct privileges *privileges, const char *user, const char *group)
{
	const struct passwd *account;

	*privileges = (struct privileges){.changes = user != NULL};
	if (user == NULL)
		return 0;
	account = find_user(user);
	if (account == NULL) {
		log_error("--user: there is no user '%s' on this machine", user);
		return -1;
	}
	privileges->user = account->pw_uid;
	privileges->group = account->pw_gid;
	snprintf(privileges->name, sizeof privileges->name, "%s", account->pw_name);
	if (group != NULL) {
		const struct group *entry = find_group(group);

		if (entry == NULL) {
			log_error("--group: there is no group '%s' on this machine", group);
			return -1;
		}
		privileges->group = entry->gr_gid;
	}
	if (geteuid() == 0)
		return 0;
	privileges->changes = false;
	if (privileges->user != geteuid() || privileges->group != getegid()) {
		log_error("--user, --group: only root can become '%s'; leave them out, or start as "
			  "root",
			user);
		return -1;
	}
	return 0;
}

int
privileges_assume(const struct privileges *privileges)
{
	if (!privileges->changes)
		return 0;
	/* Groups first: after setuid this process may change nothing any more. */
	if (initgroups(privileges->name, privileges->group) == 0 &&
		setgid(privileges->group) == 0 && setuid(privileges->user) == 0) {
		privileges_hide(privileges->name);
		return 0;
	}
	log_error("cannot become user '%s': %s", privileges->name, strerror(errno));
	return -1;
}

/* PR_GET_DUMPABLE before privileges_hide_for_now; -1 before that. It is 1, unless the program's
 * file is unreadable or has capabilities. */
static int dumpable = -1;

void
privileges_hide_for_now(void)
{
	dumpable = prctl(PR_GET_DUMPABLE);
	prctl(PR_SET_DUMPABLE, 0);
}

void
privileges_hide(const char *user)
{
	if (user != NULL && geteuid() != 0)
		prctl(PR_SET_DUMPABLE, 0);
	else if (dumpable != -1)
		prctl(PR_SET_DUMPABLE, dumpable);
}

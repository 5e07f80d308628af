#include "master/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
	if (geteuid() != 0 && identity->user != geteuid()) {
		log_error(
			"--user: only root can run workers as '%s'; leave it out, or start as root",
			user);
		return -1;
	}
	return 0;
}

int
identity_assume(const struct identity *identity)
{
	if (!identity->changes || (geteuid() != 0 && identity->user == geteuid()))
		return 0;
	/* Groups first: once the user has changed, nothing else may. */
	if (initgroups(identity->name, identity->group) == 0 && setgid(identity->group) == 0 &&
		setuid(identity->user) == 0)
		return 0;
	log_error("cannot become user '%s': %s", identity->name, strerror(errno));
	return -1;
}

/* The pid in a pid file, 0 if there is none to read. Anything but a regular file is left alone. */
static int
pidfile_read(const char *path)
{
	char text[32];
	struct stat status;
	ssize_t length = -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return 0;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		length = read(fd, text, sizeof text - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	return atoi(text);
}

/* Whether a process runs by the name that this one has. */
static bool
is_running(int pid)
{
	char path[64], name[32] = "";
	FILE *stream;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	stream = fopen(path, "re");
	if (stream == NULL)
		return false;
	if (fscanf(stream, "%31s", name) != 1)
		name[0] = '\0';
	fclose(stream);
	/* The kernel keeps fifteen bytes. */
	return strncmp(name, program_invocation_short_name, 15) == 0;
}

int
pidfile_write(const char *path)
{
	char temporary[4096];
	struct stat status;
	int fd, error = 0, other = pidfile_read(path);

	if (other > 0 && other != (int)getpid() && is_running(other)) {
		log_error("the pid file %s names pid %d, which runs; give each server its own",
			path, other);
		return -1;
	}
	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		log_error("the pid file %s is no regular file; choose another path", path);
		return -1;
	}
	if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary) {
		log_error("--pidfile: the path is too long");
		return -1;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd == -1 || fchmod(fd, 0644) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0 ||
		rename(temporary, path) != 0)
		error = errno;
	if (fd != -1)
		close(fd);
	if (error == 0)
		return 0;
	log_error("cannot write the pid file %s: %s", path, strerror(error));
	if (fd != -1)
		unlink(temporary);
	return -1;
}

void
pidfile_remove(const char *path)
{
	if (path != NULL && pidfile_read(path) == (int)getpid())
		unlink(path);
}

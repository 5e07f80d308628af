/* Only the name of the log is kept; the file descriptor is standard error itself, which dup2
 * replaces in one step, so that no line is lost between two files. */
#include "master/say/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "worker/spare.h"

static char path[PATH_MAX]; /* absolute; "" if standard error is not a file, or has no known name */

static bool
is_file(void)
{
	struct stat status;

	return fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode);
}

void
logfile_remember(void)
{
	static const char mark[] = " (deleted)";
	ssize_t length, bare;

	path[0] = '\0';
	if (!is_file())
		return;
	length = readlink("/proc/self/fd/2", path, sizeof path);
	/* The kernel marks a file that was removed since. */
	bare = length - (ssize_t)(sizeof mark - 1);
	path[length > 0 && length < PATH_MAX ? length : 0] = '\0';
	if (bare > 0 && access(path, F_OK) != 0 && strcmp(path + bare, mark) == 0)
		path[bare] = '\0';
}

const char *
logfile_name(void)
{
	return path;
}

void
logfile_inherit(const char *name)
{
	if (name[0] == '/' && strlen(name) < sizeof path && is_file())
		strcpy(path, name);
}

/* Whoever still has the log as it was opened, such as a stopped worker, or what a shell has started
 * beside the server, adds to the file as well: it may be the same file, and what "2>log" opens
 * writes at a place of its own, over lines of those who have reopened it. */
static void
append_only(void)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	if (flags != -1)
		fcntl(STDERR_FILENO, F_SETFL, flags | O_APPEND);
}

bool
logfile_reopen(void)
{
	int fd;

	if (path[0] == '\0' && is_file()) {
		log_error("cannot reopen the log: its name is unknown (is /proc mounted?)");
		return false;
	}
	if (path[0] == '\0') {
		log_info("the log is not a file; there is nothing to reopen");
		return false;
	}
	append_only();
	/* A descriptor is kept in reserve, so that the log can be reopened when files have run
	 * out. */
	spare_release();
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd != -1)
		logfile_replace(fd);
	else
		log_error("cannot reopen the log %s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	spare_keep();
	return fd != -1;
}

void
logfile_replace(int fd)
{
	if (dup2(fd, STDERR_FILENO) == STDERR_FILENO)
		log_info("the log is reopened");
	else
		log_error("cannot reopen the log: %s", strerror(errno));
}

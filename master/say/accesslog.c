/* The file is opened for appending: whoever renames it, or copies and truncates it, finds each line
 * whole, and in one of the files. */
#include "master/say/accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "worker/spare.h"

/* O_NONBLOCK: a FIFO's reader is not waited for, neither here nor by those who write. */
int
accesslog_open(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);
}

void
accesslog_give(int fd, uid_t user, gid_t group)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size != 0)
		return;
	if (fchown(fd, user, group) != 0)
		log_warning("cannot make the access log the user's: %s; it cannot be reopened",
			strerror(errno));
}

void
accesslog_check(const char *path)
{
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		log_warning("the user cannot open the access log %s again: %s; a rotation, a "
			    "reload and an upgrade will fail (make it the user's: chown)",
			path, strerror(errno));
}

bool
accesslog_reopen(const char *path, int fd)
{
	bool is_open;
	int opened;

	spare_release();
	opened = accesslog_open(path);
	is_open = opened != -1 && dup3(opened, fd, O_CLOEXEC) == fd;
	if (is_open)
		log_info("the access log is reopened");
	else
		log_error("cannot reopen the access log %s: %s", path, strerror(errno));
	if (opened != -1)
		close(opened);
	spare_keep();
	return is_open;
}

#include "master/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"

static char path[PATH_MAX];

void
logfile_remember(void)
{
	struct stat status;
	ssize_t length;

	if (fstat(STDERR_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	length = readlink("/proc/self/fd/2", path, sizeof path - 1);
	path[length > 0 ? length : 0] = '\0';
}

int
logfile_reopen(void)
{
	int fd;

	if (path[0] == '\0') {
		log_info("the log is no file; there is nothing to reopen");
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd == -1) {
		log_error("cannot reopen the log %s: %s", path, strerror(errno));
		return -1;
	}
	dup2(fd, STDERR_FILENO);
	log_info("the log is reopened");
	return fd;
}

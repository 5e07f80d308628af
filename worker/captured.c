/* The log has a descriptor of its own, which a service does not know, and which closes on exec:
 * what a service starts has the pipe as the service has. */
#include "worker/captured.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/log.h"

static int own_log = -1; /* the descriptor; -1 while standard error is the log */
static struct stat captured;

int
captured_log(void)
{
	return own_log != -1 ? own_log : STDERR_FILENO;
}

bool
captured_reopen(int file)
{
	CHECK(file >= 0);
	return own_log != -1 ? dup3(file, own_log, O_CLOEXEC) == own_log
			     : dup2(file, STDERR_FILENO) == STDERR_FILENO;
}

int
captured_begin(int pipe)
{
	int log = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	CHECK_WHY(own_log == -1, "a process is captured once");
	if (log == -1)
		return -1;
	own_log = log;
	log_to(log);
	fstat(pipe, &captured);
	dup2(pipe, STDOUT_FILENO);
	dup2(pipe, STDERR_FILENO);
	close(pipe);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return 0;
}

/* Returns whether it goes where the log goes now: a service may have made it something else. */
static bool
release(int fd)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_dev == captured.st_dev &&
	       now.st_ino == captured.st_ino && dup2(own_log, fd) == fd;
}

void
captured_end(void)
{
	if (own_log == -1)
		return;
	release(STDOUT_FILENO);
	/* Lines begin with a level only where the journal reads them. */
	if (release(STDERR_FILENO))
		log_to(STDERR_FILENO);
}

/* A handler that does nothing replaces SIGXFSZ's default, which kills the process. A handler, not
 * SIG_IGN, because execve resets handlers and passes SIG_IGN on to the new program. */
#include "master/base/oversize.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

/* After the handler the write fails with EFBIG, and its caller reports that. */
static void
do_nothing(int number)
{
	(void)number;
}

void
oversize_survive(void)
{
	struct sigaction action;

	if (sigaction(SIGXFSZ, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
		return;
	/* SA_ONSTACK: a coroutine's stack may be too small for a signal frame. */
	action = (struct sigaction){.sa_handler = do_nothing, .sa_flags = SA_RESTART | SA_ONSTACK};
	sigaction(SIGXFSZ, &action, NULL);
}

const char *
oversize_advice(int error)
{
	return error == EFBIG ? " (raise the limit on file size: ulimit -f, LimitFSIZE=)" : "";
}

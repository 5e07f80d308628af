#include "master/base/oversize.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

/* The write that was too much fails with EFBIG. */
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
	/* Also on the small stack of a coroutine. */
	action = (struct sigaction){.sa_handler = do_nothing, .sa_flags = SA_RESTART | SA_ONSTACK};
	sigaction(SIGXFSZ, &action, NULL);
}

const char *
oversize_advice(int error)
{
	return error == EFBIG ? " (raise the limit on file size: ulimit -f, LimitFSIZE=)" : "";
}

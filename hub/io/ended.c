/* Children are watched by a pidfd, or, where the kernel or a sandbox refuses one (pidfd -1), by
 * looking every LOOK_AGAIN. Only ended_reap reaps, so a pid stays the child's own until then. */
#include "hub/io/ended_priv.h"

#include <errno.h>
#include <poll.h>

#include "hub/base/kernel.h"
#include "hub/io/fd.h"
#include "hub/scheduler.h"

#define LOOK_AGAIN (5 * HUB_MILLISECOND)

bool
ended_by_looking(int error)
{
	return error == ENOSYS || error == EPERM;
}

int
ended_reap(int pidfd, pid_t pid, int *status)
{
	siginfo_t info = {0};

	if (kernel_waitid(pidfd != -1 ? P_PIDFD : P_PID, (id_t)(pidfd != -1 ? pidfd : pid), &info,
		    WEXITED | WNOHANG) != 0)
		return -1;
	if (info.si_pid == 0)
		return 0;
	if (info.si_code == CLD_EXITED)
		*status = (info.si_status & 0xff) << 8;
	else
		*status = info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
	return 1;
}

int
ended_wait(int pidfd)
{
	return pidfd != -1 ? hub_wait_fd(pidfd, POLLIN) : hub_sleep(LOOK_AGAIN);
}

#include "worker/orphan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"

/* Runs what a worker does when its master is dead, and returns its status. */
static int
status_of(void (*body)(void))
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (orphan_prepare(getppid()) != 0)
			_exit(1);
		body();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}

static void
hang(void)
{
	orphan_begin();
	orphan_last_until(clock_now() + CLOCK_SECOND / 10);
	for (int64_t end = clock_now() + 10 * CLOCK_SECOND; clock_now() < end;)
		usleep(10000);
}

Test(orphan, that_hangs_is_killed_by_the_kernel)
{
	int status = status_of(hang);

	cr_assert(WIFSIGNALED(status), "%d", status);
	cr_assert_eq(WTERMSIG(status), SIGKILL);
}

Test(orphan, whose_master_is_another_process_than_its_parent_has_none)
{
	cr_assert_eq(orphan_prepare(getpid()), -1);
	cr_assert_eq(errno, ESRCH);
}

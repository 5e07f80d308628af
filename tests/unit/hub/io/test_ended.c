/* Processes where no descriptor tells of them. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/sandbox.h"

static int results[8], statuses[8];

static pid_t
start_child(int code)
{
	pid_t child = fork();

	if (child == 0) {
		usleep(20000);
		_exit(code);
	}
	return child;
}

static void *
use_processes(void *argument)
{
	char *const sleeps[] = {"sleep", "60", NULL}, *const fails[] = {"sh", "-c", "exit 3", NULL};
	struct hub_process *process;
	struct hub_timeout scope;
	pid_t child = start_child(5);

	results[0] = hub_waitpid(child, &statuses[0]) == child;
	process = hub_process_start(fails, NULL);
	results[1] = process != NULL && hub_process_wait(process, &statuses[1]) == 0;
	hub_process_free(process);
	process = hub_process_start(sleeps, NULL);
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	results[2] = hub_process_wait(process, NULL) == -1 && errno == ETIMEDOUT;
	hub_timeout_stop(&scope);
	hub_process_signal(process, SIGTERM);
	results[3] = hub_process_wait(process, &statuses[3]) == 0;
	hub_process_free(process);
	/* One that runs is not left behind. */
	hub_process_free(hub_process_start(sleeps, NULL));
	results[4] = hub_waitpid(-1, NULL) == -1;
	return argument;
}

static void
expect_all(int error)
{
	static const long refused[] = {SYS_pidfd_open, SYS_pidfd_send_signal};

	if (on_valgrind())
		cr_skip_test("it has no pidfd_open, and says so");
	cr_assert(sandbox_refuse(refused, 2, error));
	in_hub(use_processes, NULL);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(results[i], 1, "%d", i);
	cr_expect_eq(statuses[0], 5 << 8);
	cr_expect_eq(statuses[1], 3 << 8);
	cr_expect_eq(statuses[3], SIGTERM);
}

Test(ended, processes_are_waited_for_where_the_kernel_has_no_pidfd)
{
	expect_all(ENOSYS);
}

Test(ended, processes_are_waited_for_where_a_sandbox_refuses_pidfd)
{
	expect_all(EPERM);
}

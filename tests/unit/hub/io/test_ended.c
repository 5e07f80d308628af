/* Processes where no descriptor tells of them. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/sandbox.h"
#include "tests/support/trace.h"

static void
say_end(const char *name, int status)
{
	if (WIFSIGNALED(status))
		trace_say("%s is killed by SIG%s", name, sigabbrev_np(WTERMSIG(status)));
	else
		trace_say("%s exits with %d", name, WEXITSTATUS(status));
}

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
	int status = -1;

	trace_whether("the child", hub_waitpid(child, &status) == child);
	say_end("it", status);
	process = hub_process_start(fails, NULL);
	trace_call("wait", hub_process_wait(process, &status));
	say_end("a shell", status);
	hub_process_free(process);
	process = hub_process_start(sleeps, NULL);
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	trace_call("wait in a scope", hub_process_wait(process, NULL));
	hub_timeout_stop(&scope);
	hub_process_signal(process, SIGTERM);
	trace_call("wait", hub_process_wait(process, &status));
	say_end("a sleeper", status);
	hub_process_free(process);
	/* One that runs is not left behind. */
	hub_process_free(hub_process_start(sleeps, NULL));
	trace_whether("any left", hub_waitpid(-1, NULL) != -1);
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
	cr_assert_str_eq(trace_text(),
		"the child, it exits with 5, wait 0, a shell exits with 3, "
		"wait in a scope ETIMEDOUT, wait 0, a sleeper is killed by SIGTERM, "
		"not any left");
}

Test(ended, processes_are_waited_for_where_the_kernel_has_no_pidfd)
{
	expect_all(ENOSYS);
}

Test(ended, processes_are_waited_for_where_a_sandbox_refuses_pidfd)
{
	expect_all(EPERM);
}

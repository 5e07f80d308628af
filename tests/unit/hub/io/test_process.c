/* Child processes: what is said to them and by them, their ends, and those of fork. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define LARGE 300000

/* Says how a process has ended. */
static void
say_end(int status)
{
	if (WIFSIGNALED(status))
		trace_say("killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		trace_say("exit %d", WEXITSTATUS(status));
}

/* Says what a process has written to a stream. */
static void
say_output(struct hub_process *process, int stream)
{
	trace_say("'%s'", hub_process_output(process, stream, NULL));
}

static struct hub_process *
shell(const char *command, enum hub_process_stream input, enum hub_process_stream output,
	enum hub_process_stream error)
{
	char *arguments[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
	struct hub_process_options options = {.streams = {input, output, error}};

	return hub_process_start(arguments, &options);
}

static void *
talk_body(void *argument)
{
	struct hub_process *process;
	char *input = malloc(LARGE);
	size_t length;
	int status;

	memset(input, 'x', LARGE);
	/* More than fits a pipe, in both directions at once. */
	process = shell("cat; echo error >&2; exit 3", HUB_PROCESS_PIPE, HUB_PROCESS_PIPE,
		HUB_PROCESS_PIPE);
	trace_call("communicate", hub_process_communicate(process, input, LARGE, &status));
	say_end(status);
	trace_whether(
		"all of it", memcmp(hub_process_output(process, 1, &length), input, LARGE) == 0);
	trace_whether("nothing else", length == LARGE);
	say_output(process, 2);
	hub_process_free(process);
	/* It reads nothing of what it is sent. */
	process = shell("exec 0<&-; echo out; echo err >&2", HUB_PROCESS_PIPE, HUB_PROCESS_PIPE,
		HUB_PROCESS_OUTPUT);
	trace_call("communicate", hub_process_communicate(process, input, LARGE, &status));
	say_end(status);
	say_output(process, 1);
	hub_process_free(process);
	free(input);
	return argument;
}

Test(process, is_talked_to_without_a_deadlock_or_sigpipe)
{
	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	in_hub(talk_body, NULL);
	cr_assert_str_eq(trace_text(), "communicate 0, exit 3, all of it, nothing else, 'error\n', "
				       "communicate 0, exit 0, 'out\nerr\n'");
}

static void *
timeout_body(void *argument)
{
	struct hub_process *process;
	struct hub_timeout scope;
	int status, again;

	process = shell("echo first; sleep 60; echo never", HUB_PROCESS_NULL, HUB_PROCESS_PIPE,
		HUB_PROCESS_INHERIT);
	hub_timeout_start(&scope, 200 * HUB_MILLISECOND);
	trace_call("communicate", hub_process_communicate(process, NULL, 0, NULL));
	hub_timeout_stop(&scope);
	say_output(process, 1);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("wait", hub_process_wait(process, NULL));
	hub_timeout_stop(&scope);
	trace_call("signal", hub_process_signal(process, SIGTERM));
	/* The shell's child has the pipe too. */
	trace_call("wait", hub_process_wait(process, &status));
	say_end(status);
	hub_process_wait(process, &again);
	trace_whether("the same again", again == status);
	trace_call("signal", hub_process_signal(process, SIGTERM));
	say_output(process, 1);
	hub_process_free(process);
	/* Freed while it runs. */
	process = shell("sleep 60", HUB_PROCESS_PIPE, HUB_PROCESS_NULL, HUB_PROCESS_NULL);
	hub_process_free(process);
	return argument;
}

Test(process, a_timeout_loses_no_output)
{
	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	in_hub(timeout_body, NULL);
	cr_assert_str_eq(trace_text(),
		"communicate ETIMEDOUT, 'first\n', wait ETIMEDOUT, signal 0, wait 0, "
		"killed by SIGTERM, the same again, signal ESRCH, 'first\n'");
}

static void *
options_body(void *argument)
{
	char *arguments[] = {"sh", "-c", "pwd; echo $NAME; ls /proc/self/fd | wc -l", NULL};
	char *none[] = {"hubbub-no-such-program", NULL};
	char *environment[] = {"NAME=value", "PATH=/usr/bin:/bin", NULL};
	struct hub_process_options options = {
		.streams = {HUB_PROCESS_NULL, HUB_PROCESS_PIPE, HUB_PROCESS_NULL},
		.environment = environment,
		.directory = "/"};
	struct hub_process *process;
	pid_t child;
	int status;

	process = hub_process_start(arguments, &options);
	trace_call("communicate", hub_process_communicate(process, NULL, 0, NULL));
	/* ls itself has a descriptor for the folder. */
	say_output(process, 1);
	hub_process_free(process);
	trace_pointer("start of none", hub_process_start(none, NULL));
	child = fork();
	if (child == 0)
		_exit(7);
	trace_whether("the child", hub_waitpid(child, &status) == child);
	say_end(status);
	trace_call("waitpid", hub_waitpid(child, NULL));
	return argument;
}

Test(process, options_errors_and_children_of_fork)
{
	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	in_hub(options_body, NULL);
	cr_assert_str_eq(trace_text(), "communicate 0, '/\nvalue\n4\n', "
				       "start of none ENOENT, the child, exit 7, waitpid ECHILD");
}

static void *
run_true(void *argument)
{
	struct hub_process *process =
		shell("exit 5", HUB_PROCESS_NULL, HUB_PROCESS_NULL, HUB_PROCESS_NULL);

	hub_process_wait(process, argument);
	hub_process_free(process);
	return NULL;
}

static void *
in_thread(void *argument)
{
	hub_run(run_true, argument, NULL);
	return NULL;
}

Test(process, works_in_any_thread)
{
	int first_status = 0, second_status = 0;
	pthread_t first, second;

	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	pthread_create(&first, NULL, in_thread, &first_status);
	pthread_create(&second, NULL, in_thread, &second_status);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	cr_assert_eq(WEXITSTATUS(first_status), 5);
	cr_assert_eq(WEXITSTATUS(second_status), 5);
}

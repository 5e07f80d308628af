/* Commands and children, beside signals, time and kills. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static volatile sig_atomic_t reaped;

static void
reap_all(int number)
{
	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped = reaped + 1;
}

static void
note_exit(const char *name, int status)
{
	if (WIFEXITED(status))
		trace_say("%s exit %d", name, WEXITSTATUS(status));
	else
		trace_say("%s %#x", name, (unsigned)status);
}

static void *
run_beside_handler(void *argument)
{
	signal(SIGCHLD, reap_all);
	for (int i = 0; i < 3; i++)
		note_exit("system", system("exit 3"));
	trace_say("%d reaped", (int)reaped);
	signal(SIGCHLD, SIG_DFL);
	return argument;
}

TestSuite(subprocess, .timeout = 60);

Test(subprocess, a_handler_that_reaps_does_not_take_the_commands_status)
{
	hub_patch_all();
	in_hub(run_beside_handler, NULL);
	EXPECT_TRACE("system exit 3, system exit 3, system exit 3, 0 reaped");
}

static void *
run_out_of_time(void *argument)
{
	struct hub_timeout scope;
	FILE *stream;

	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	trace_call("system", system("sleep 20"));
	hub_timeout_stop(&scope);
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	stream = popen("sleep 0.1", "r");
	trace_call("pclose", pclose(stream));
	hub_timeout_stop(&scope);
	/* Who reaps it is at work. */
	while (waitpid(-1, NULL, WNOHANG) >= 0)
		usleep(1000);
	trace_error("then", errno);
	return argument;
}

Test(subprocess, what_is_given_up_leaves_no_process)
{
	hub_patch_all();
	in_hub(run_out_of_time, NULL);
	EXPECT_TRACE("system ETIMEDOUT, pclose ETIMEDOUT, then ECHILD");
}

static void *
use_streams(void *argument)
{
	FILE *stream = popen("tr a-z A-Z >/dev/null; exit 5", "w");
	/* Compilers complain. */
	int (*volatile other_close)(FILE *) = fclose;

	trace_call("fputs", stream != NULL && fputs("hello\n", stream) >= 0);
	note_exit("pclose", pclose(stream));
	trace_error("popen for x", popen("true", "x") == NULL ? errno : 0);
	trace_call("has a shell", system(NULL) != 0);
	note_exit("system", system("no such command 2>/dev/null"));
	/* As to libc, which closes it by either. */
	note_exit("fclose", other_close(popen("exit 6", "r")));
	trace_call("waitpid", waitpid(-1, NULL, WNOHANG));
	return argument;
}

Test(subprocess, commands_tell_how_they_ended)
{
	hub_patch_all();
	in_hub(use_streams, NULL);
	EXPECT_TRACE("fputs 1, pclose exit 5, popen for x EINVAL, has a shell 1, "
		     "system exit 127, fclose exit 6, waitpid ECHILD");
}

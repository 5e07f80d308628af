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

static int results[8], errors[8];
static volatile sig_atomic_t reaped;

static void
reap_all(int number)
{
	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped = reaped + 1;
}

static void *
run_beside_handler(void *argument)
{
	signal(SIGCHLD, reap_all);
	for (int i = 0; i < 3; i++)
		results[i] = system("exit 3");
	results[3] = reaped;
	signal(SIGCHLD, SIG_DFL);
	return argument;
}

TestSuite(subprocess, .timeout = 60);

Test(subprocess, a_handler_that_reaps_does_not_take_the_commands_status)
{
	hub_patch_all();
	in_hub(run_beside_handler, NULL);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(results[i], 3 << 8, "%d", results[i]);
	cr_expect_eq(results[3], 0);
}

static void *
run_out_of_time(void *argument)
{
	struct hub_timeout scope;
	FILE *stream;

	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	results[0] = system("sleep 20");
	errors[0] = errno;
	hub_timeout_stop(&scope);
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	stream = popen("sleep 0.1", "r");
	results[1] = pclose(stream);
	errors[1] = errno;
	hub_timeout_stop(&scope);
	/* Who reaps it is at work. */
	while (waitpid(-1, NULL, WNOHANG) >= 0)
		usleep(1000);
	results[2] = errno;
	return argument;
}

Test(subprocess, what_is_given_up_leaves_no_process)
{
	hub_patch_all();
	in_hub(run_out_of_time, NULL);
	cr_expect(results[0] == -1 && errors[0] == ETIMEDOUT, "%d %d", results[0], errors[0]);
	cr_expect(results[1] == -1 && errors[1] == ETIMEDOUT, "%d %d", results[1], errors[1]);
	cr_expect_eq(results[2], ECHILD);
}

static void *
use_streams(void *argument)
{
	FILE *stream = popen("tr a-z A-Z >/dev/null; exit 5", "w");
	/* Compilers complain. */
	int (*volatile other_close)(FILE *) = fclose;

	results[0] = stream != NULL && fputs("hello\n", stream) >= 0;
	results[1] = pclose(stream);
	results[2] = popen("true", "x") == NULL ? errno : 0;
	results[3] = system(NULL) != 0;
	results[4] = system("no such command 2>/dev/null") >> 8;
	results[5] = other_close(popen("exit 6", "r"));
	results[6] = waitpid(-1, NULL, WNOHANG) == -1 ? errno : 0;
	return argument;
}

Test(subprocess, commands_tell_how_they_ended)
{
	hub_patch_all();
	in_hub(use_streams, NULL);
	cr_expect_eq(results[0], 1);
	cr_expect_eq(results[1], 5 << 8);
	cr_expect_eq(results[2], EINVAL);
	cr_expect_eq(results[3], 1);
	cr_expect_eq(results[4], 127);
	cr_expect_eq(results[5], 6 << 8, "as to libc, which closes it by either");
	cr_expect_eq(results[6], ECHILD);
}

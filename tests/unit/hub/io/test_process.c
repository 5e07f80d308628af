#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

#define LARGE 300000

struct record {
	int errors[12];
	int statuses[6];
	char text[6][256];
	size_t lengths[4];
	bool is_same;
};

static struct record *current;

static struct hub_process *
shell(const char *command, enum hub_stream input, enum hub_stream output, enum hub_stream error)
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

	current = argument;
	memset(input, 'x', LARGE);
	/* More than fits a pipe, in both directions at once. */
	process = shell(
		"cat; echo error >&2; exit 3", HUB_STREAM_PIPE, HUB_STREAM_PIPE, HUB_STREAM_PIPE);
	current->errors[0] = hub_process_communicate(process, input, LARGE, &current->statuses[0]);
	current->is_same =
		memcmp(hub_process_output(process, 1, &current->lengths[0]), input, LARGE) == 0;
	strcpy(current->text[0], hub_process_output(process, 2, NULL));
	hub_process_free(process);
	/* It reads nothing of what it is sent. */
	process = shell("exec 0<&-; echo out; echo err >&2", HUB_STREAM_PIPE, HUB_STREAM_PIPE,
		HUB_STREAM_OUTPUT);
	current->errors[1] = hub_process_communicate(process, input, LARGE, &current->statuses[1]);
	strcpy(current->text[1], hub_process_output(process, 1, NULL));
	hub_process_free(process);
	free(input);
	return NULL;
}

Test(process, is_talked_to_without_a_deadlock_or_sigpipe)
{
	struct record record = {0};

	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	in_hub(talk_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(WEXITSTATUS(record.statuses[0]), 3);
	cr_assert_eq(record.lengths[0], LARGE);
	cr_assert(record.is_same);
	cr_assert_str_eq(record.text[0], "error\n");
	cr_assert_eq(record.errors[1], 0);
	cr_assert_eq(record.statuses[1], 0);
	cr_assert_str_eq(record.text[1], "out\nerr\n");
}

static void *
timeout_body(void *argument)
{
	struct hub_process *process;
	struct hub_timeout scope;

	current = argument;
	process = shell("echo first; sleep 60; echo never", HUB_STREAM_NULL, HUB_STREAM_PIPE,
		HUB_STREAM_INHERIT);
	hub_timeout_start(&scope, 200 * HUB_MILLISECOND);
	current->errors[0] = hub_process_communicate(process, NULL, 0, NULL) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	strcpy(current->text[0], hub_process_output(process, 1, NULL));
	hub_timeout_start(&scope, HUB_MILLISECOND);
	current->errors[1] = hub_process_wait(process, NULL) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	current->errors[2] = hub_process_signal(process, SIGTERM);
	/* The shell's child has the pipe too. */
	current->errors[3] = hub_process_wait(process, &current->statuses[0]);
	current->errors[4] = hub_process_wait(process, &current->statuses[1]);
	current->errors[5] = hub_process_signal(process, SIGTERM) == -1 ? errno : 0;
	strcpy(current->text[1], hub_process_output(process, 1, NULL));
	hub_process_free(process);
	/* Freed while it runs. */
	process = shell("sleep 60", HUB_STREAM_PIPE, HUB_STREAM_NULL, HUB_STREAM_NULL);
	hub_process_free(process);
	return NULL;
}

Test(process, a_timeout_loses_no_output)
{
	struct record record = {0};

	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	in_hub(timeout_body, &record);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
	cr_assert_str_eq(record.text[0], "first\n");
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.errors[2], 0);
	cr_assert_eq(record.errors[3], 0);
	cr_assert(WIFSIGNALED(record.statuses[0]));
	cr_assert_eq(WTERMSIG(record.statuses[0]), SIGTERM);
	cr_assert_eq(record.statuses[1], record.statuses[0]);
	cr_assert_eq(record.errors[5], ESRCH);
	cr_assert_str_eq(record.text[1], "first\n");
}

static void *
options_body(void *argument)
{
	char *arguments[] = {"sh", "-c", "pwd; echo $NAME; ls /proc/self/fd | wc -l", NULL};
	char *none[] = {"hubbub-no-such-program", NULL};
	char *environment[] = {"NAME=value", "PATH=/usr/bin:/bin", NULL};
	struct hub_process_options options = {
		.streams = {HUB_STREAM_NULL, HUB_STREAM_PIPE, HUB_STREAM_NULL},
		.environment = environment,
		.directory = "/"};
	struct hub_process *process;
	pid_t child;

	current = argument;
	process = hub_process_start(arguments, &options);
	current->errors[0] = hub_process_communicate(process, NULL, 0, &current->statuses[0]);
	strcpy(current->text[0], hub_process_output(process, 1, NULL));
	hub_process_free(process);
	current->errors[1] = hub_process_start(none, NULL) == NULL ? errno : 0;
	child = fork();
	if (child == 0)
		_exit(7);
	current->errors[2] = hub_waitpid(child, &current->statuses[1]) == child;
	current->errors[3] = hub_waitpid(child, NULL) == -1 ? errno : 0;
	return NULL;
}

Test(process, options_errors_and_children_of_fork)
{
	struct record record = {0};

	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	in_hub(options_body, &record);
	cr_assert_eq(record.errors[0], 0);
	/* ls itself has a descriptor for the folder. */
	cr_assert_str_eq(record.text[0], "/\nvalue\n4\n");
	cr_assert_eq(record.errors[1], ENOENT);
	cr_assert_eq(record.errors[2], 1);
	cr_assert_eq(WEXITSTATUS(record.statuses[1]), 7);
	cr_assert_eq(record.errors[3], ECHILD);
}

static void *
run_true(void *argument)
{
	struct hub_process *process =
		shell("exit 5", HUB_STREAM_NULL, HUB_STREAM_NULL, HUB_STREAM_NULL);

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
	int statuses[2] = {0};
	pthread_t threads[2];

	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, in_thread, &statuses[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(WEXITSTATUS(statuses[0]), 5);
	cr_assert_eq(WEXITSTATUS(statuses[1]), 5);
}

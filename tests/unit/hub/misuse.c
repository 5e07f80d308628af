#include "tests/unit/hub/misuse.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void *
misuse_idle(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

void *
misuse_end_at_once(void *argument)
{
	return argument;
}

void *
misuse_switch_back(void *argument)
{
	while (argument != misuse_idle)
		argument = hub_switch(hub_parent(hub_current()), argument);
	return argument;
}

void *
misuse_yield_for_ever(void *argument)
{
	while (hub_yield(argument) != misuse_idle)
		continue;
	return argument;
}

void
misuse_in_thread(hub_fn *function, void *argument)
{
	pthread_t thread;

	pthread_create(&thread, NULL, function, argument);
	pthread_join(thread, NULL);
}

static void *
run_visit(void *argument)
{
	struct visit *visit = argument;

	hub_run(visit->function, visit->argument, NULL);
	return NULL;
}

void
misuse_in_other_hub(hub_fn *function, void *argument)
{
	struct visit visit = {function, argument};

	misuse_in_thread(run_visit, &visit);
}

void *
misuse_wait_for_event(void *event)
{
	hub_event_wait(event);
	return NULL;
}

/* ---- the sentences ---- */

/* In a child process: what it writes to standard error, and how it ends. */
static int
commit(const struct misuse *misuse, char *text, size_t size)
{
	size_t length = 0;
	ssize_t count;
	int ends[2], status;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		static const struct rlimit no_core;

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		alarm(20);
		if (misuse->is_bare)
			misuse->scene((void *)misuse->function);
		else
			hub_run(misuse->scene, (void *)misuse->function, NULL);
		_exit(0);
	}
	close(ends[1]);
	while ((count = read(ends[0], text + length, size - 1 - length)) > 0)
		length += (size_t)count;
	text[length] = '\0';
	close(ends[0]);
	waitpid(child, &status, 0);
	return status;
}

void
misuse_expect_sentences(const struct misuse *misuses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[4096];
		int status = commit(&misuses[i], text, sizeof text);

		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s: status %x: %s",
			misuses[i].name, status, text);
		cr_expect_not_null(
			strstr(text, misuses[i].sentence), "%s: %s", misuses[i].name, text);
	}
}

#include "worker/crash.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/hub.h"

/* Shared with the child that dies: of its process, and of a thread of it. */
static struct worker_row *rows; /* of two hubs */
static const struct worker_crash *first, *second;

static void
begin(void)
{
	rows = mmap(
		NULL, 2 * sizeof *rows, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(rows, MAP_FAILED);
	first = &rows[0].crash;
	second = &rows[1].crash;
}

static void
end(void)
{
	munmap(rows, 2 * sizeof *rows);
}

TestSuite(crash, .init = begin, .fini = end, .timeout = 60);

/* Runs body in a child that leaves no core. Returns the signal of which it dies. */
static int
die(void (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		crash_install(&rows[0]);
		body();
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
raise_abort(void)
{
	raise(SIGABRT);
}

Test(crash, leaves_its_signal_and_backtrace_and_dies_of_it)
{
	cr_assert_eq(die(raise_abort), SIGABRT);
	cr_assert_eq(first->signal, SIGABRT);
	cr_assert_eq(first->code, SI_TKILL);
	cr_assert_gt(first->frame_count, 0);
	cr_assert_str_empty(first->coroutine);
}

static void
fork_and_abort(void)
{
	int status;
	pid_t child;

	crash_use_row(&rows[1]);
	child = fork();
	if (child == 0)
		raise(SIGABRT);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
		raise(SIGKILL);
}

/* It would be told as that of the worker, when the worker dies of something else. */
Test(crash, of_a_child_process_that_a_service_has_forked_is_not_the_workers)
{
	cr_assert_eq(die(fork_and_abort), 0);
	cr_assert_eq(first->signal, 0);
	cr_assert_eq(second->signal, 0);
}

/* A sanitizer sees it first. */
#ifndef __SANITIZE_ADDRESS__
static void
touch_page_zero(void)
{
	volatile uintptr_t address = 16;

	crash_use_row(&rows[1]);
	*(volatile char *)address = 1;
}

Test(crash, of_a_thread_is_in_the_row_of_that_thread)
{
	cr_assert_eq(die(touch_page_zero), SIGSEGV);
	cr_assert_eq(first->signal, 0);
	cr_assert_eq(second->signal, SIGSEGV);
	cr_assert_eq(second->address, 16);
}
#endif

static void *
abort_named(void *argument)
{
	hub_set_name(hub_current(), "of-a-name-that-is-longer-than-the-record");
	raise(SIGABRT);
	return argument;
}

static void
abort_in_hub(void)
{
	hub_run(abort_named, NULL, NULL);
}

Test(crash, names_the_coroutine_that_ran)
{
	const char *name = first->coroutine;

	cr_assert_eq(die(abort_in_hub), SIGABRT);
	cr_assert_gt(strlen(name), 0);
	cr_assert_lt(strlen(name), sizeof first->coroutine);
	cr_assert_eq(strncmp(name, "of-a-name-that-is-longer-than-the-record", strlen(name)), 0);
}

static void
raise_twice(void)
{
	rows[0].crash.signal = SIGBUS;
	raise(SIGABRT);
}

Test(crash, the_first_is_the_one_that_is_kept)
{
	cr_assert_eq(die(raise_twice), SIGABRT);
	cr_assert_eq(first->signal, SIGBUS);
	cr_assert_eq(first->frame_count, 0);
}

/* Every call that waits, on a coroutine: it suspends that and nobody else, and gives what libc
 * would. The table of calls says which there must be. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hub/patch/calls.h"
#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/sandbox.h"
#include "tests/unit/hub/patch/scenes.h"

struct outcome {
	long result;
	int error;
	bool has_suspended;
};

static struct scene scene;
static struct scene_case cases[SCENES_MAX];
static struct outcome outcomes[SCENES_MAX];
static size_t count;

/* No name server in the hub would answer when the hub's thread itself asks it. */
static bool has_no_threads;

static void
begin(void)
{
	count = scenes_all(cases);
}

TestSuite(calls, .init = begin, .timeout = 120);

static void *
play_all(void *argument)
{
	for (size_t i = 0; i < count; i++) {
		if (has_no_threads && (cases[i].traits & SCENE_NEEDS_THREADS) != 0)
			continue;
		scene_play(&scene, cases[i].prepare, cases[i].make, cases[i].wake, scene_close);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

Test(calls, each_suspends_its_coroutine_and_nobody_else)
{
	hub_patch_all();
	in_hub(play_all, NULL);
	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(outcomes[i].result, cases[i].expected, "%s gives %ld and not %ld (%s)",
			cases[i].call, outcomes[i].result, cases[i].expected,
			strerror(outcomes[i].error));
		cr_expect(outcomes[i].has_suspended || cases[i].traits & SCENE_MAY_BE_DONE,
			"%s lets nobody run", cases[i].call);
		cr_expect_eq(outcomes[i].error, SCENE_UNTOUCHED, "%s succeeds, and leaves errno %s",
			cases[i].call, strerror(outcomes[i].error));
	}
}

static void
close_end(struct scene *s)
{
	close(s->ends[0]);
	s->ends[0] = -1;
}

static void *
play_closing(void *argument)
{
	for (size_t i = 0; i < count; i++) {
		if ((cases[i].traits & SCENE_WAITS_FOR_FD) == 0)
			continue;
		scene_play(&scene, cases[i].prepare, cases[i].make, close_end, scene_close);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

Test(calls, each_ends_with_EBADF_when_another_closes_its_descriptor)
{
	hub_patch_all();
	in_hub(play_closing, NULL);
	for (size_t i = 0; i < count; i++)
		if ((cases[i].traits & SCENE_WAITS_FOR_FD) != 0)
			cr_expect(outcomes[i].result == -1 && outcomes[i].error == EBADF,
				"%s gives %ld (%s)", cases[i].call, outcomes[i].result,
				strerror(outcomes[i].error));
}

/* Its number is another's at once, which has all that the call waits for. */
static size_t played;

static void
reopen_end(struct scene *s)
{
	static struct scene other;
	int number = s->ends[0];

	other = (struct scene){.ends = {-1, -1}, .extra = -1, .room = -1, .has_ended = true};
	cases[played].prepare(&other);
	if (cases[played].wake != NULL)
		cases[played].wake(&other);
	close(number);
	dup2(other.ends[0], number);
	scene_close(&other);
}

static void *
play_reopening(void *argument)
{
	for (size_t i = 0; i < count; i++) {
		if ((cases[i].traits & SCENE_WAITS_FOR_FD) == 0)
			continue;
		played = i;
		scene_play(&scene, cases[i].prepare, cases[i].make, reopen_end, scene_close);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

Test(calls, each_ends_with_EBADF_when_its_number_becomes_anothers)
{
	hub_patch_all();
	in_hub(play_reopening, NULL);
	for (size_t i = 0; i < count; i++)
		if ((cases[i].traits & SCENE_WAITS_FOR_FD) != 0)
			cr_expect(outcomes[i].result == -1 && outcomes[i].error == EBADF,
				"%s gives %ld (%s)", cases[i].call, outcomes[i].result,
				strerror(outcomes[i].error));
}

static void
kill_caller(struct scene *s)
{
	hub_kill(s->caller);
}

static void *
play_killing(void *argument)
{
	for (size_t i = 0; i < count; i++) {
		if ((cases[i].traits & SCENE_WAITS_FOR_FD) == 0)
			continue;
		scene_play(&scene, cases[i].prepare, cases[i].make, kill_caller, scene_close);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

Test(calls, each_that_waits_for_a_descriptor_may_be_killed)
{
	hub_patch_all();
	in_hub(play_killing, NULL);
	for (size_t i = 0; i < count; i++)
		if ((cases[i].traits & SCENE_WAITS_FOR_FD) != 0)
			cr_expect(outcomes[i].result == -1 && outcomes[i].error == ECANCELED,
				"%s gives %ld (%s)", cases[i].call, outcomes[i].result,
				strerror(outcomes[i].error));
}

static void *
play_poll_closing(void *argument)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(cases[i].call, "poll") == 0)
			scene_play(&scene, cases[i].prepare, cases[i].make, close_end, scene_close);
	return argument;
}

Test(calls, poll_tells_of_a_closed_descriptor_by_its_events)
{
	hub_patch_all();
	in_hub(play_poll_closing, NULL);
	cr_assert_eq(scene.result, POLLNVAL);
}

/* ---- where calls are refused ---- */

static void
expect_results(void)
{
	hub_patch_all();
	in_hub(play_all, NULL);
	for (size_t i = 0; i < count; i++) {
		if (has_no_threads && (cases[i].traits & SCENE_NEEDS_THREADS) != 0)
			continue;
		cr_expect_eq(outcomes[i].result, cases[i].expected, "%s gives %ld and not %ld (%s)",
			cases[i].call, outcomes[i].result, cases[i].expected,
			strerror(outcomes[i].error));
		cr_expect_eq(outcomes[i].error, SCENE_UNTOUCHED, "%s leaves errno %s",
			cases[i].call, strerror(outcomes[i].error));
	}
}

static const long newer_calls[] = {SYS_preadv2, SYS_pwritev2, SYS_pidfd_open};
#define NEWER_CALLS (sizeof newer_calls / sizeof newer_calls[0])

Test(calls, each_works_where_the_kernel_lacks_newer_ones)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	cr_assert(sandbox_refuse(newer_calls, NEWER_CALLS, ENOSYS));
	expect_results();
}

Test(calls, each_works_where_a_sandbox_refuses_newer_ones)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	cr_assert(sandbox_refuse(newer_calls, NEWER_CALLS, EPERM));
	expect_results();
}

Test(calls, each_works_where_no_thread_can_be_made)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	has_no_threads = true;
	cr_assert(sandbox_refuse_threads());
	expect_results();
}

Test(calls, none_of_the_table_is_left_out_here)
{
	static const struct {
		const char *name;
		bool waits;
	} calls[] = {
#define WAITS true
#define NOTES false
#define BLOCKS false
#define ROW(kind, family, result, name, parameters, arguments) {#name, kind},
		PATCH_CALLS(ROW)};
	int waiting = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		bool is_here = false;

		for (size_t j = 0; j < count; j++)
			is_here |= strcmp(cases[j].call, calls[i].name) == 0;
		waiting += calls[i].waits;
		cr_expect(is_here || !calls[i].waits, "%s has no case", calls[i].name);
	}
	cr_assert_gt(waiting, 50);
}

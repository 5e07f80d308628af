/* Memory of stacks that is given back, while coroutines wait and when they have ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/guard_priv.h"
#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"

/* So soon that a test may wait for it. */
static void
hurry(void)
{
	setenv("HUBBUB_TRIM", "100", 1);
}

TestSuite(trim, .init = hurry);

static void
hurry_with_canaries(void)
{
	hurry();
	setenv("HUBBUB_STACK_GUARD", "canary", 1);
}

TestSuite(trim_canary, .init = hurry_with_canaries);

/* Pages of the coroutine's slot that are in memory, but for the one of a canary. */
static size_t
pages(const struct hub_coroutine *coroutine)
{
	unsigned char map[64] = {0};
	size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
	size_t size = STACK_SIZE_DEFAULT;
	unsigned char *slot = (unsigned char *)(((uintptr_t)coroutine & ~(page - 1)) + page - size);

	mincore(slot, size, map);
	for (size_t i = 0; i < size / page; i++)
		count += map[i] & 1;
	return count - (stack_guard_kind() == STACK_GUARD_CANARY);
}

/* Waits until no more than so many are. */
static bool
pages_sink_to(const struct hub_coroutine *coroutine, size_t most)
{
	for (int i = 0; i < 500 && pages(coroutine) > most; i++)
		hub_sleep(10 * HUB_MILLISECOND);
	return pages(coroutine) <= most;
}

/* Goes deep: all of it is written, or no more than its pages' probes. */
static __attribute__((noinline)) void
go_deep(bool writes)
{
	volatile char deep[24 * 1024];

	deep[0] = 1;
	for (size_t i = 0; writes && i < sizeof deep; i++)
		deep[i] = (char)i;
}

struct record {
	bool writes;
	bool is_slow;
	size_t in_use;
	size_t after_end;
	bool has_sunk;
	int error;
	bool was_gone_woken, was_successor_woken; /* by a late wake */
	bool is_successor_woken;                  /* by its own */
	bool has_stopped;
	struct hub_coroutine *parent;
};

static void *
deep_body(void *argument)
{
	struct record *record = argument;

	go_deep(record->writes);
	record->in_use = pages(hub_current());
	return NULL;
}

/* On its own stack one that is detached gives its pages back. */
static void *
end_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(deep_body, record);

	hub_detach(coroutine);
	hub_sleep(0);
	record->after_end = pages(coroutine);
	record->has_sunk = pages_sink_to(coroutine, 1);
	return NULL;
}

static void
the_end_gives_back(void)
{
	struct record record = {.writes = true};

#ifdef __SANITIZE_ADDRESS__
	cr_skip_test("its frames are larger, and lie elsewhere");
#endif
	in_hub(end_body, &record);
	cr_assert_geq(record.in_use, 6);
	cr_assert_eq(record.after_end, 1);
}

Test(trim, the_end_of_a_coroutine_gives_back_all_but_the_first_page)
{
	the_end_gives_back();
}

Test(trim_canary, the_end_of_a_coroutine_gives_back_all_but_the_first_page)
{
	the_end_gives_back();
}

Test(trim, a_free_slot_gives_back_what_only_probes_have_touched)
{
	struct record record = {.writes = false};

	/* The slot stays, and is swept. */
	setenv("HUBBUB_TRIM", "100000", 1);
	in_hub(end_body, &record);
	cr_assert_geq(record.in_use, 6);
	cr_assert(record.has_sunk);
}

static void *
deep_and_wait(void *argument)
{
	deep_body(argument);
	hub_sleep(HUB_FOREVER);
	return NULL;
}

static void *
wait_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(deep_and_wait, record);

	/* A sweep is due, and comes before the coroutine runs. */
	if (record->is_slow)
		usleep(300000);
	hub_sleep(0);
	record->has_sunk = pages_sink_to(coroutine, 1);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

static void
a_wait_gives_back(void)
{
	for (int writes = 0; writes < 2; writes++) {
		struct record record = {.writes = writes};

		in_hub(wait_body, &record);
		cr_assert_geq(record.in_use, 6);
		cr_assert(record.has_sunk);
	}
}

Test(trim, one_that_waits_gives_back_what_lies_below_it)
{
	a_wait_gives_back();
}

Test(trim_canary, one_that_waits_gives_back_what_lies_below_it)
{
	a_wait_gives_back();
}

Test(trim, one_that_was_swept_before_it_began_gives_back_too)
{
	struct record record = {.writes = true, .is_slow = true};

	in_hub(wait_body, &record);
	cr_assert_geq(record.in_use, 6);
	cr_assert(record.has_sunk);
}

/* ---- those who are gone ---- */

static void *
wait_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
late_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *gone = hub_spawn(wait_for_ever, NULL), *next;
	uint32_t epoch;

	hub_sleep(0);
	epoch = gone->epoch;
	hub_kill(gone);
	hub_join(gone, NULL);
	stack_arena_cool(&hub_this->arena, 0, SIZE_MAX);
	record->was_gone_woken = hub_wake(gone, epoch, 0);
	next = hub_spawn(wait_for_ever, NULL);
	hub_sleep(0);
	/* In the same slot, in its first wait. */
	record->was_successor_woken = next == gone && hub_wake(gone, epoch, 0);
	record->is_successor_woken = next == gone && hub_wake(gone, next->epoch, 0);
	hub_join(next, NULL);
	return NULL;
}

Test(trim, a_wake_that_comes_after_the_memory_has_gone_does_nothing)
{
	struct record record = {0};

	in_hub(late_body, &record);
	cr_assert_not(record.was_gone_woken);
	cr_assert_not(record.was_successor_woken);
	cr_assert(record.is_successor_woken, "the slot was not used again");
}

static void *
nothing(void *argument)
{
	return argument;
}

static void *
make_child(void *child)
{
	*(struct hub_coroutine **)child = hub_new(nothing);
	return NULL;
}

Test(trim, a_parent_whose_memory_has_gone_is_no_parent_any_more)
{
	struct hub_coroutine *child = NULL, *parent = hub_new(make_child), *next;

	hub_switch(parent, &child);
	cr_assert_eq(hub_parent(child), parent);
	hub_free(parent);
	stack_arena_cool(&hub_this->arena, 0, SIZE_MAX);
	cr_assert_eq(hub_parent(child), NULL);
	next = hub_new(nothing);
	cr_assert_eq(next, parent);
	cr_assert_eq(hub_parent(child), NULL);
	hub_free(next);
	hub_free(child);
}

/* ---- when it runs ---- */

static void *
idle_body(void *argument)
{
	struct record *record = argument;

	hub_join(hub_spawn(nothing, NULL), NULL);
	for (int i = 0; i < 500 && !ev_is_active(&hub_this->trim.timer); i++)
		hub_sleep(HUB_MILLISECOND);
	/* Everything has gone back, and nothing happens to stacks. */
	for (int i = 0; i < 500 && ev_is_active(&hub_this->trim.timer); i++)
		hub_sleep(10 * HUB_MILLISECOND);
	record->has_stopped = !ev_is_active(&hub_this->trim.timer);
	return NULL;
}

Test(trim, an_idle_hub_is_not_woken)
{
	struct record record = {0};

	in_hub(idle_body, &record);
	cr_assert(record.has_stopped);
}

static void *
deadlock_body(void *argument)
{
	struct record *record = argument;
	struct hub_event never = {0};

	hub_join(hub_spawn(nothing, NULL), NULL);
	hub_sleep(HUB_MILLISECOND);
	record->has_stopped = !ev_is_active(&hub_this->trim.timer);
	if (hub_event_wait(&never) != 0)
		record->error = errno;
	return NULL;
}

Test(trim, its_timer_is_nothing_to_wait_for)
{
	struct record record = {0};

	in_hub(deadlock_body, &record);
	cr_assert_not(record.has_stopped);
	cr_assert_eq(record.error, EDEADLK);
}

/* ---- crowds ---- */

enum { CROWD = 5000 };

static void *
crowd_body(void *argument)
{
	struct record *record = argument;
	static struct hub_coroutine *crowd[CROWD];

	for (int i = 0; i < CROWD; i++)
		crowd[i] = hub_spawn(wait_for_ever, NULL);
	hub_sleep(0);
	hub_kill_all(crowd, CROWD);
	for (int i = 0; i < CROWD; i++)
		hub_join(crowd[i], NULL);
	/* One of each chunk. */
	record->has_sunk = true;
	for (int i = 1; i < CROWD && record->has_sunk; i += 1000)
		record->has_sunk = pages_sink_to(crowd[i], 0);
	return NULL;
}

Test(trim, a_crowd_that_has_left_is_forgotten)
{
	struct record record = {0};

	in_hub(crowd_body, &record);
	cr_assert(record.has_sunk);
}

Test(trim, and_without_a_loop_when_most_have_gone)
{
	static struct hub_coroutine *crowd[CROWD];
	size_t left = 0;

	for (int i = 0; i < CROWD; i++)
		crowd[i] = hub_new(nothing);
	for (int i = 0; i < CROWD; i++)
		hub_free(crowd[i]);
	for (int i = 0; i < CROWD; i++)
		left += pages(crowd[i]);
	cr_assert_leq(left, CROWD / 4);
}

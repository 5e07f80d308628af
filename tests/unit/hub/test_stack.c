/* Stacks: how they are given and taken back, cooled, guarded, and found broken. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/guard_priv.h"
#include "hub/stack_priv.h"
#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"

struct object {
	struct stack stack;
	char rest[200];
};

static struct stack_arena arena;

static void
start(void)
{
	stack_arena_init(&arena, STACK_SIZE_DEFAULT, sizeof(struct object));
}

static void
end(void)
{
	stack_arena_fini(&arena);
}

TestSuite(stack, .init = start, .fini = end);

Test(stack, has_the_size_asked_for_and_a_guard_below)
{
	struct stack *stack = stack_get(&arena);

	cr_assert_eq((size_t)(stack->end - stack->low), STACK_SIZE_DEFAULT);
	cr_assert(stack_guards(stack, stack->low - 1));
	cr_assert(stack_guards(stack, stack->low - STACK_GUARD_SIZE));
	cr_assert_not(stack_guards(stack, stack->low));
	cr_assert_not(stack_guards(stack, stack->low - STACK_GUARD_SIZE - 1));
	stack_put(&arena, stack);
}

Test(stack, the_guard_is_not_accessible)
{
	struct stack *stack = stack_get(&arena);

	if (on_valgrind())
		cr_skip("valgrind itself reads the path");
	/* access(2) reads a path there, and says EFAULT instead of crashing. */
	cr_assert_eq(access((const char *)stack->low - 1, F_OK), -1);
	cr_assert_eq(errno, EFAULT);
	stack->low[0] = 1;
	stack_put(&arena, stack);
}

Test(stack, what_was_freed_is_used_before_what_never_was)
{
	struct stack *first = stack_get(&arena), *second = stack_get(&arena);
	struct stack *again, *another;

	cr_assert_neq(first, second);
	stack_put(&arena, second);
	stack_put(&arena, first);
	again = stack_get(&arena);
	another = stack_get(&arena);
	cr_assert((again == first && another == second) || (again == second && another == first));
	stack_put(&arena, first);
	stack_put(&arena, second);
}

/* But for the one of a canary. */
static size_t
resident_pages(const struct stack *stack)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = 0;
	unsigned char *low = stack->low + (stack->is_canary ? page : 0);
	size_t size = (size_t)(stack->end - low);
	unsigned char *map = calloc(size / page, 1);

	mincore(low, size, map);
	for (size_t i = 0; i < size / page; i++)
		pages += map[i] & 1;
	free(map);
	return pages;
}

Test(stack, used_pages_but_the_first_go_back_when_it_is_freed)
{
	struct stack *stack = stack_get(&arena);

	cr_assert_eq(resident_pages(stack), 1);
	/* As a deep call would, from the object downwards. */
	memset(stack->low + 4096, 1, (size_t)((unsigned char *)stack - stack->low) - 4096);
	cr_assert_gt(resident_pages(stack), 10);
	stack_put(&arena, stack);
	cr_assert_eq(resident_pages(stack), 1);
}

Test(stack, a_deep_park_is_noticed_even_if_the_watermark_survives)
{
	struct stack *stack = stack_get(&arena);

	stack->low[5000] = 1;
	cr_assert_eq(resident_pages(stack), 2);
	stack_parked_low(stack);
	stack_put(&arena, stack);
	cr_assert_eq(resident_pages(stack), 1);
}

Test(stack, tops_have_different_colours)
{
	struct stack *stacks[16];
	unsigned long lines = 0;

	for (int i = 0; i < 16; i++) {
		stacks[i] = stack_get(&arena);
		lines |= 1UL << ((uintptr_t)stacks[i] % 4096 / 64);
	}
	cr_assert_eq(__builtin_popcountl(lines), 16);
	for (int i = 0; i < 16; i++)
		stack_put(&arena, stacks[i]);
}

static void
count(struct stack *stack, void *context)
{
	(void)stack;
	++*(int *)context;
}

Test(stack, each_visits_what_is_in_use_over_several_chunks)
{
	enum { MANY = 3000 };
	static struct stack *stacks[MANY];
	int visited = 0;

	for (int i = 0; i < MANY; i++)
		stacks[i] = stack_get(&arena);
	for (int i = 0; i < MANY; i += 2)
		stack_put(&arena, stacks[i]);
	stack_arena_each(&arena, count, &visited);
	cr_assert_eq(visited, MANY / 2);
	cr_assert_eq(arena.used, MANY / 2);
	for (int i = 1; i < MANY; i += 2)
		stack_put(&arena, stacks[i]);
}

/* ---- giving back ---- */

enum { CROWD = 3000 };
static struct stack *crowd[CROWD];

static void
crowd_comes(void)
{
	for (int i = 0; i < CROWD; i++)
		crowd[i] = stack_get(&arena);
}

static void
crowd_leaves(void)
{
	for (int i = 0; i < CROWD; i++)
		stack_put(&arena, crowd[i]);
}

static size_t
crowd_pages(void)
{
	size_t pages = 0;

	for (int i = 0; i < CROWD; i++)
		pages += resident_pages(crowd[i]);
	return pages;
}

static const void *
parked_at(const struct stack *stack)
{
	return stack->end - 1024;
}

/* As a probe does, which the watermark does not see. */
static void
touch(struct stack *stack, size_t below_end)
{
	((volatile unsigned char *)stack->end)[-(ptrdiff_t)below_end] = 0;
}

Test(stack, a_page_that_nobody_saw_touched_goes_back)
{
	struct stack *used = stack_get(&arena), *freed = stack_get(&arena);

	stack_begins(used);
	touch(used, 5000);
	touch(freed, 5000);
	stack_put(&arena, freed);
	cr_assert_eq(resident_pages(freed), 2);
	cr_assert(arena.is_restless);
	cr_assert_not(stack_arena_sweep(&arena, parked_at, 100));
	cr_assert_not(arena.is_restless);
	cr_assert_eq(resident_pages(used), 1);
	cr_assert_eq(resident_pages(freed), 1);
	/* The next owner, too, and the end of one that was swept. */
	freed = stack_get(&arena);
	stack_begins(freed);
	touch(freed, 5000);
	touch(used, 5000);
	stack_put(&arena, used);
	cr_assert(stack_arena_sweep(&arena, parked_at, 1));
	cr_assert_not(stack_arena_sweep(&arena, parked_at, 1));
	cr_assert_eq(resident_pages(used) + resident_pages(freed), 2);
	stack_put(&arena, freed);
}

static const void *
parked_deep(const struct stack *stack)
{
	return stack->end - 3 * 4096 + 1024;
}

Test(stack, what_lies_above_a_deep_park_stays_until_it_comes_up)
{
	struct stack *stack = stack_get(&arena);

	memset(stack->end - 10 * 4096, 1, 9 * 4096);
	stack_parked_low(stack);
	stack_arena_sweep(&arena, parked_deep, 100);
	cr_assert_eq(resident_pages(stack), 3);
	cr_assert_eq(stack->end[-3 * 4096 + 1024], 1);
	/* Its next park is looked at, wherever that is. */
	cr_assert_gt((uintptr_t)stack->mark, (uintptr_t)stack->end);
	stack_parked_low(stack);
	cr_assert(arena.is_restless);
	stack_arena_sweep(&arena, parked_at, 100);
	cr_assert_eq(resident_pages(stack), 1);
	cr_assert_lt((uintptr_t)stack->mark, (uintptr_t)stack->end);
	stack_put(&arena, stack);
}

Test(stack, free_slots_go_but_for_those_that_may_be_needed)
{
	crowd_comes();
	crowd_leaves();
	cr_assert_eq(arena.peak, CROWD);
	cr_assert_eq(crowd_pages(), CROWD);
	cr_assert_not(stack_arena_cool(&arena, CROWD, 100));
	cr_assert_eq(crowd_pages(), CROWD);
	while (stack_arena_cool(&arena, 10, 1))
		continue;
	cr_assert_eq(crowd_pages(), 10);
	cr_assert_not(list_is_empty(&arena.spent));
	/* What went back reads as zeros, and is nobody's. */
	cr_assert_eq(crowd[CROWD - 1]->chunk, NULL);
	crowd_comes();
	cr_assert_eq(arena.used, CROWD);
	cr_assert_eq(crowd_pages(), CROWD);
	cr_assert(list_is_empty(&arena.spent));
	for (int i = 0; i < CROWD && !on_valgrind(); i++)
		cr_assert(access((const char *)crowd[i]->low - 1, F_OK) == -1 && errno == EFAULT);
	crowd_leaves();
}

Test(stack, those_in_use_keep_their_chunk_and_what_they_hold)
{
	char held[4096];
	struct stack *in_use;

	crowd_comes();
	in_use = crowd[1500];
	memset(held, 7, sizeof held);
	memcpy(in_use->low, held, sizeof held);
	for (int i = 0; i < CROWD; i++)
		if (crowd[i] != in_use)
			stack_put(&arena, crowd[i]);
	stack_arena_cool(&arena, 0, 100);
	cr_assert_eq(crowd_pages(), 2);
	cr_assert_arr_eq(in_use->low, held, sizeof held);
	stack_put(&arena, in_use);
	stack_arena_cool(&arena, 0, 100);
	cr_assert_eq(crowd_pages(), 0);
}

Test(stack, chunks_become_empty_though_others_come)
{
	int before = 0, after = 0;

	crowd_comes();
	for (int i = 0; i < CROWD; i++)
		if (i % 3 != 0)
			stack_put(&arena, crowd[i]);
	/* One comes for each that leaves, and finds a place in the chunks that are fullest. */
	for (int i = 0; i < CROWD; i += 3) {
		stack_put(&arena, crowd[i]);
		crowd[i] = stack_get(&arena);
	}
	for (int i = 0; i < CROWD; i += 3) {
		struct stack *old = crowd[i];

		crowd[i] = stack_get(&arena);
		stack_put(&arena, old);
	}
	LIST_EACH (link, &arena.chunks)
		before++;
	stack_arena_cool(&arena, 0, 100);
	LIST_EACH (link, &arena.spent)
		after++;
	cr_assert_eq(before, 3);
	cr_assert_geq(after, 1);
	for (int i = 0; i < CROWD; i += 3)
		stack_put(&arena, crowd[i]);
}

/* ---- other guards ---- */

static void
want_protect(void)
{
	setenv("HUBBUB_STACK_GUARD", "protect", 1);
}

/* All hubs of the process share a number of guards, which must not wear out. */
Test(protect, guards_come_back_with_their_memory, .init = want_protect)
{
	for (int i = 0; i < 20; i++) {
		stack_arena_init(&arena, STACK_SIZE_MIN, sizeof(struct object));
		crowd_comes();
		for (int j = 0; j < CROWD; j++)
			cr_assert_not(crowd[j]->is_canary, "round %d, slot %d", i, j);
		crowd_leaves();
		if (i % 2 == 0)
			stack_arena_cool(&arena, 0, 100);
		stack_arena_fini(&arena);
	}
}

/* What the process may map. */
static long
mappings_most(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	long most = 0;

	if (file == NULL || fscanf(file, "%ld", &most) != 1)
		most = 0;
	if (file != NULL)
		fclose(file);
	return most;
}

static size_t
count_lines(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		count++;
	return count;
}

/* How many stacks an arena guards by a page before it has no more mappings for them. */
static long
count_guarded(long most)
{
	struct stack **stacks = calloc((size_t)most, sizeof(struct stack *));
	long count = 0;

	stack_arena_init(&arena, STACK_SIZE_MIN, sizeof(struct object));
	while (!(stacks[count] = stack_get(&arena))->is_canary)
		count++;
	stack_put(&arena, stack_get(&arena));
	for (long i = 0; i <= count; i++)
		stack_put(&arena, stacks[i]);
	stack_arena_fini(&arena);
	free(stacks);
	return count;
}

Test(protect, takes_most_of_the_mappings_and_then_says_so_once, .init = want_protect)
{
	long most = mappings_most(), first, second;
	const char *said;

	if (on_valgrind() || most == 0 || most > 200000)
		cr_skip_test("so many stacks take too long");
	complaint_listen();
	first = count_guarded(most);
	second = count_guarded(most);
	said = complaint_heard();
	cr_assert_gt(first, most * 3 / 8);
	cr_assert_lt(first, most / 2);
	cr_assert_eq(second, first);
	cr_assert_eq(count_lines(said, "vm.max_map_count"), 1, "%s", said);
}

static void
break_canary(void)
{
	struct stack *stack;

	stack_arena_init(&arena, STACK_SIZE_DEFAULT, sizeof(struct object));
	stack = stack_get(&arena);
	if (!stack->is_canary)
		_exit(77);
	stack->low[3] ^= 1;
	stack_parked_low(stack);
}

static void
want_canary(void)
{
	setenv("HUBBUB_STACK_GUARD", "canary", 1);
}

TestSuite(canary, .init = want_canary);

Test(canary, a_broken_canary_is_fatal_at_the_next_park, .signal = SIGABRT)
{
	break_canary();
}

static const unsigned char *elsewhere;

static const void *
parked_elsewhere(const struct stack *stack)
{
	(void)stack;
	return elsewhere;
}

/* As in code of ucontext's or another library's, below or above the slot. */
Test(stack, of_a_coroutine_that_waits_on_another_stack_is_left_alone)
{
	struct stack *stack = stack_get(&arena);

	stack->end[-3 * (long)stack_page_size] = 7;
	stack_begins(stack);
	elsewhere = stack->low - STACK_GUARD_SIZE - 1;
	cr_assert_not(stack_arena_sweep(&arena, parked_elsewhere, 100));
	stack_begins(stack);
	elsewhere = stack->end + 1;
	cr_assert_not(stack_arena_sweep(&arena, parked_elsewhere, 100));
	cr_assert_eq(stack->end[-3 * (long)stack_page_size], 7);
	stack_put(&arena, stack);
}

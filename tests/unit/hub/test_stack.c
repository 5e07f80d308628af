#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/stack_priv.h"
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

Test(stack, the_last_freed_is_used_first)
{
	struct stack *first = stack_get(&arena), *second = stack_get(&arena);

	cr_assert_neq(first, second);
	stack_put(&arena, first);
	stack_put(&arena, second);
	cr_assert_eq(stack_get(&arena), second);
	cr_assert_eq(stack_get(&arena), first);
	stack_put(&arena, first);
	stack_put(&arena, second);
}

static size_t
resident_pages(const struct stack *stack)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = 0;
	size_t size = (size_t)(stack->end - stack->low);
	unsigned char *map = calloc(size / page, 1);

	mincore(stack->low, size, map);
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

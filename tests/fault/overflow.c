/* Overflows a coroutine's stack on purpose, for test_overflow.
 *
 *	overflow deep (small frames) | wide (frames of 12 KiB) | step (one frame of 40 KiB) */
#include <hubbub/hub.h>
#include <stdio.h>
#include <string.h>

static volatile int sink;

static __attribute__((noinline)) int
deep(int n)
{
	volatile char frame[100];

	frame[n % 100] = (char)n;
	return n > 0 ? deep(n - 1) + frame[n % 100] : 0;
}

/* Hardly touches the array: without stack probes a call might step over the guard page. */
static __attribute__((noinline)) int
wide(int n)
{
	volatile char frame[12 * 1024];

	frame[0] = (char)n;
	return n > 0 ? wide(n - 1) + frame[0] : 0;
}

static __attribute__((noinline)) int
step(void)
{
	volatile char frame[40 * 1024];

	frame[0] = 1;
	return frame[0];
}

/* Comes within a guard's size of the end of a 64 KiB stack, then takes one large step. */
static __attribute__((noinline)) int
near(int n)
{
	volatile char frame[4 * 1024];

	frame[0] = (char)n;
	return n > 0 ? near(n - 1) + frame[0] : step() + frame[0];
}

static void *
overflow(void *argument)
{
	const char *how = argument;

	hub_sleep(0);
	if (strcmp(how, "deep") == 0)
		sink = deep(1 << 20);
	else if (strcmp(how, "wide") == 0)
		sink = wide(1 << 10);
	else
		sink = strcmp(how, "step") == 0 ? near(12) : 0;
	return NULL;
}

static void *
body(void *how)
{
	struct hub_coroutine *neighbour = hub_spawn(overflow, "none");
	struct hub_coroutine *coroutine = hub_spawn(overflow, how);

	hub_set_name(coroutine, "the deep one");
	hub_join(coroutine, NULL);
	hub_join(neighbour, NULL);
	return NULL;
}

int
main(int argc, char **argv)
{
	(void)argc;
	hub_run(body, argv[1], NULL);
	printf("survived\n");
	return 0;
}

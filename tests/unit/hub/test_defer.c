/* What is deferred to the end of a coroutine, and memory that goes with it. */
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void
write_text(void *text)
{
	trace_say("%s", (char *)text);
}

static void
block(void *argument)
{
	(void)argument;
	trace_call("nap", hub_sleep(HUB_MILLISECOND));
	/* More may be said while it is done. */
	hub_defer(write_text, "c");
}

static void *
deferring(void *argument)
{
	hub_defer(write_text, "a");
	hub_defer(block, NULL);
	hub_defer(write_text, "b");
	hub_sleep((intptr_t)argument);
	return NULL;
}

static void *
defer_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(deferring, NULL);

	hub_join(coroutine, NULL);
	trace_say("killed");
	coroutine = hub_spawn(deferring, (void *)HUB_FOREVER);
	hub_sleep(0);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	hub_sleep(0);
	return argument;
}

Test(defer, is_done_in_reverse_order_also_after_a_kill)
{
	in_hub(defer_body, NULL);
	cr_assert_str_eq(trace_text(), "b, nap 0, c, a, killed, b, nap ECANCELED, c, a");
	cr_assert_eq(hub_defer(write_text, ""), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_null(hub_alloc(1));
}

static void *
raw_main(void *argument)
{
	hub_defer(write_text, "raw");
	hub_switch(argument, NULL);
	return NULL;
}

static void *
raw_body(void *argument)
{
	struct hub_coroutine *raw = hub_new(raw_main);

	hub_switch(raw, hub_current());
	hub_free(raw);
	return argument;
}

Test(defer, is_done_when_a_suspended_raw_coroutine_is_freed)
{
	in_hub(raw_body, NULL);
	cr_assert_str_eq(trace_text(), "raw");
}

static void *
alloc_body(void *argument)
{
	bool *is_aligned = argument;

	*is_aligned = true;
	for (size_t size = 1; size < 200000; size = size * 3 / 2 + 1) {
		unsigned char *memory = hub_alloc(size);

		if (memory == NULL || (uintptr_t)memory % alignof(max_align_t) != 0) {
			*is_aligned = false;
			break;
		}
		memset(memory, 1, size);
	}
	trace_pointer("too much", hub_alloc(SIZE_MAX));
	return NULL;
}

Test(defer, memory_of_any_size_is_aligned_and_goes_with_the_coroutine)
{
	bool is_aligned = false;

	in_hub(alloc_body, &is_aligned);
	cr_assert(is_aligned);
	cr_assert_str_eq(trace_text(), "too much ENOMEM");
}

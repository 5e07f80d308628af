#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	char text[64];
	int errors[8];
	bool is_aligned;
};

static struct record *current;

static void
write_text(void *text)
{
	strcat(current->text, text);
}

static void
block(void *argument)
{
	(void)argument;
	current->errors[0] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
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

	current = argument;
	hub_join(coroutine, NULL);
	strcat(current->text, " ");
	coroutine = hub_spawn(deferring, (void *)HUB_FOREVER);
	hub_sleep(0);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	current->errors[1] = hub_sleep(0);
	return NULL;
}

Test(defer, is_done_in_reverse_order_also_after_a_kill)
{
	struct record record = {0};

	in_hub(defer_body, &record);
	cr_assert_str_eq(record.text, "bca bca");
	cr_assert_eq(record.errors[0], ECANCELED, "clean-up of a killed coroutine blocks");
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

	current = argument;
	hub_switch(raw, hub_current());
	hub_free(raw);
	return NULL;
}

Test(defer, is_done_when_a_suspended_raw_coroutine_is_freed)
{
	struct record record = {0};

	in_hub(raw_body, &record);
	cr_assert_str_eq(record.text, "raw");
}

static void *
alloc_body(void *argument)
{
	struct record *record = argument;

	record->is_aligned = true;
	for (size_t size = 1; size < 200000; size = size * 3 / 2 + 1) {
		unsigned char *memory = hub_alloc(size);

		if (memory == NULL || (uintptr_t)memory % alignof(max_align_t) != 0) {
			record->is_aligned = false;
			break;
		}
		memset(memory, 1, size);
	}
	record->errors[0] = hub_alloc(SIZE_MAX) == NULL ? errno : 0;
	return NULL;
}

Test(defer, memory_of_any_size_is_aligned_and_goes_with_the_coroutine)
{
	struct record record = {0};

	in_hub(alloc_body, &record);
	cr_assert(record.is_aligned);
	cr_assert_eq(record.errors[0], ENOMEM);
}

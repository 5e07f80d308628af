#include <errno.h>

#include "tests/support/in_hub.h"

struct record {
	int results[6];
	int errors[6];
	size_t ended[6];
	int killed;
};

static void *
end_when_killed(void *argument)
{
	hub_sleep(HUB_FOREVER);
	++*(int *)argument;
	return NULL;
}

static void *
clean_up_for_long(void *argument)
{
	struct hub_timeout shield;

	hub_sleep(HUB_FOREVER);
	hub_shield_start(&shield);
	hub_sleep(200 * HUB_MILLISECOND);
	hub_shield_stop(&shield);
	++*(int *)argument;
	return NULL;
}

static void
end_all(struct record *record, int index, struct hub_coroutine **coroutines, int64_t time)
{
	record->results[index] = hub_end_all(coroutines, 3, time, &record->ended[index]);
	record->errors[index] = record->results[index] != 0 ? errno : 0;
}

static void *
raw(void *argument)
{
	return argument;
}

static void *
end_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutines[3], *slow;

	coroutines[0] = slow = hub_spawn(clean_up_for_long, &record->killed);
	coroutines[1] = hub_spawn(end_when_killed, &record->killed);
	coroutines[2] = hub_new(raw);
	hub_sleep(0);
	end_all(record, 0, coroutines, HUB_SECOND);
	hub_free(coroutines[2]);
	coroutines[2] = hub_spawn(end_when_killed, &record->killed);
	hub_sleep(0);
	end_all(record, 1, coroutines, 20 * HUB_MILLISECOND);
	record->results[5] = coroutines[2] == slow;
	end_all(record, 2, coroutines, HUB_FOREVER);
	/* All have ended, so there is nothing to wait for. */
	end_all(record, 3, coroutines, 0);
	for (int i = 0; i < 3; i++)
		hub_join(coroutines[i], NULL);
	return NULL;
}

Test(group, ending_all_waits_for_so_long_and_kills_all_the_same)
{
	struct record record = {0};

	in_hub(end_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], EINVAL, "a raw one");
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.ended[1], 2);
	cr_assert(record.results[5], "the one that has not ended is not the last");
	cr_assert_eq(record.results[2], 0);
	cr_assert_eq(record.ended[2], 3);
	cr_assert_eq(record.results[3], 0);
	cr_assert_eq(record.ended[3], 3);
	cr_assert_eq(record.killed, 3);
}

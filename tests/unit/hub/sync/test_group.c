/* Ending a group of coroutines: all are killed, and waited for so long. */
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int killed; /* that have ended after it */

static void *
end_when_killed(void *argument)
{
	hub_sleep(HUB_FOREVER);
	killed++;
	return argument;
}

static void *
clean_up_for_long(void *argument)
{
	struct hub_timeout shield;

	hub_sleep(HUB_FOREVER);
	hub_shield_start(&shield);
	hub_sleep(200 * HUB_MILLISECOND);
	hub_shield_stop(&shield);
	killed++;
	return argument;
}

static void
end_all(const char *name, struct hub_coroutine **coroutines, int64_t time)
{
	size_t ended = 0;

	trace_call(name, hub_end_all(coroutines, 3, time, &ended));
	trace_say("%zu ended", ended);
}

static void *
raw(void *argument)
{
	return argument;
}

static void *
end_body(void *argument)
{
	struct hub_coroutine *coroutines[3], *slow;

	coroutines[0] = slow = hub_spawn(clean_up_for_long, NULL);
	coroutines[1] = hub_spawn(end_when_killed, NULL);
	coroutines[2] = hub_new(raw);
	hub_sleep(0);
	end_all("a raw one", coroutines, HUB_SECOND);
	hub_free(coroutines[2]);
	coroutines[2] = hub_spawn(end_when_killed, NULL);
	hub_sleep(0);
	end_all("a slow one", coroutines, 20 * HUB_MILLISECOND);
	trace_whether("the last is the slow one", coroutines[2] == slow);
	end_all("for ever", coroutines, HUB_FOREVER);
	/* All have ended, so there is nothing to wait for. */
	end_all("at once", coroutines, 0);
	for (int i = 0; i < 3; i++)
		hub_join(coroutines[i], NULL);
	return argument;
}

Test(group, ending_all_waits_for_so_long_and_kills_all_the_same)
{
	in_hub(end_body, NULL);
	cr_assert_str_eq(trace_text(),
		"a raw one EINVAL, 0 ended, a slow one ETIMEDOUT, 2 ended, "
		"the last is the slow one, for ever 0, 3 ended, at once 0, 3 ended");
	cr_assert_eq(killed, 3);
}

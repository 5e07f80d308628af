/* Switches of the thread's own stack, on which the loop runs: nothing waits before they return. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct there {
	hub_fn *body; /* of the raw coroutine that the thread's stack switches to */
	bool is_orphan;
	int out;
	int sleep; /* errno of each, under a shield */
	int yield;
	void *result; /* what hub_switch has returned */
	bool is_done;
	bool has_other_run; /* before hub_switch has returned */
	int others;
};

static void *
run_beside(void *argument)
{
	((struct there *)argument)->others++;
	return argument;
}

static void *
block_in_shield(void *argument)
{
	struct there *there = argument;
	struct hub_timeout shield;

	hub_shield_start(&shield);
	there->sleep = hub_sleep(HUB_MILLISECOND) != 0 ? errno : 0;
	there->yield = hub_sleep(0) != 0 ? errno : 0;
	hub_shield_stop(&shield);
	return argument;
}

static void *
dump_there(void *argument)
{
	hub_dump(((struct there *)argument)->out);
	return argument;
}

static void *
end_there(void *argument)
{
	return argument;
}

static void *
switch_there(void *argument)
{
	struct there *there = argument;
	struct hub_coroutine *parent = hub_new(end_there), *raw = hub_new(there->body);

	if (there->is_orphan)
		hub_set_parent(raw, parent);
	hub_free(parent);
	there->result = hub_switch(raw, there);
	there->is_done = hub_is_done(raw);
	there->has_other_run = there->others > 0;
	hub_free(raw);
	return NULL;
}

static void *
call_there(void *argument)
{
	hub_go(run_beside, argument);
	hub_on_thread_stack(switch_there, argument, NULL);
	hub_sleep(0);
	return argument;
}

Test(switch_in_loop, leads_to_no_wait_even_under_a_shield)
{
	struct there there = {.body = block_in_shield};

	in_hub(call_there, &there);
	cr_assert_eq(there.sleep, EPERM);
	cr_assert_eq(there.yield, EPERM);
	cr_assert_eq(there.result, &there);
	cr_assert(there.is_done);
	cr_assert_not(there.has_other_run);
	cr_assert_eq(there.others, 1);
}

Test(switch_in_loop, may_lead_to_a_dump)
{
	struct there there = {.body = dump_there, .out = open("/dev/null", O_WRONLY | O_CLOEXEC)};

	in_hub(call_there, &there);
	close(there.out);
	cr_assert_eq(there.result, &there);
	cr_assert(there.is_done);
	cr_assert_not(there.has_other_run);
	cr_assert_eq(there.others, 1);
}

Test(switch_in_loop, an_orphans_end_returns_there)
{
	struct there there = {.body = end_there, .is_orphan = true, .result = &there};

	in_hub(call_there, &there);
	cr_assert_null(there.result, "the result is lost");
	cr_assert(there.is_done);
	cr_assert_not(there.has_other_run);
	cr_assert_eq(there.others, 1);
}

/* The invariants of what a hub knows of its coroutines: each is broken by hand, and reported by its
 * sentence. Those of what coroutines wait for are in test_invariants.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/io/fd_priv.h"
#include "hub/scheduler_priv.h"
#include "sim/invariants/greed_priv.h"
#include "sim/invariants/invariants_priv.h"
#include "sim/kernel/file_priv.h"

TestSuite(invariants_hub, .timeout = 60);

static struct {
	struct hub_coroutine *victim, *other; /* 2 and 3 */
	struct hub_event event;
	int pair[2];
} on;

/* ---- what the victim does ---- */

static void
wait_event(void)
{
	hub_event_wait(&on.event);
}

static void
wait_event_in_scope(void)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, HUB_FOREVER);
	hub_event_wait(&on.event);
	hub_timeout_stop(&scope);
}

static void
wait_input(void)
{
	char byte;

	hub_recv(on.pair[0], &byte, 1, 0);
}

static void
wait_join(void)
{
	hub_join(on.other, NULL);
}

/* ---- breaking ---- */

static void
shorten_scope(void)
{
	on.victim->scope->earliest = hub_now() + 3600 * HUB_SECOND;
}

static void
lengthen_scope(void)
{
	on.victim->scope->earliest = HUB_FOREVER;
}

static void
say_running(void)
{
	on.victim->state = COROUTINE_RUNNING;
}

static void
say_waiting(void)
{
	on.victim->state = COROUTINE_WAITING;
}

static void
end_input(void)
{
	fd_entry(hub_this, on.pair[0])->input_has_ended = true;
}

static void
begin_input(void)
{
	fd_entry(hub_this, on.pair[0])->input_has_ended = false;
}

/* The hub's own checks would tell it, too, as soon as a coroutine becomes runnable. */
static void
lose_a_runnable(void)
{
	hub_this->appended++;
	invariants_look_at_all();
	hub_this->appended--;
}

static void
do_nothing(void)
{
}

static void
count_a_stack(void)
{
	hub_this->arena.used++;
}

static void
count_no_stack(void)
{
	hub_this->arena.used--;
}

static void
end_other(void)
{
	on.other->state = COROUTINE_DONE;
}

static void
revive_other(void)
{
	on.other->state = COROUTINE_WAITING;
}

static const struct broken {
	void (*wait)(void);
	void (*breaks)(void);
	void (*mend)(void);
	const char *sentence;
} all[] = {
	{wait_event_in_scope, shorten_scope, lengthen_scope,
		"2 \"victim\" waits for event longer than a scope around it allows"},
	{wait_event, say_running, say_waiting, "2 \"victim\" runs beside another"},
	{wait_input, end_input, begin_input,
		"2 \"victim\" waits for input of descriptor 512, which has ended"},
	{wait_event, lose_a_runnable, do_nothing,
		"1 coroutines were made runnable, and did not run"},
	{wait_event, count_a_stack, count_no_stack,
		"3 coroutines have a stack, and the hub counts 4"},
	{wait_join, end_other, revive_other, "2 \"victim\" waits for join, which would let it go"},
};

/* ---- looking ---- */

static void *
be_victim(void *argument)
{
	const struct broken *broken = argument;

	broken->wait();
	return NULL;
}

static void *
be_other(void *unused)
{
	hub_event_wait(&on.event);
	return unused;
}

static void *
break_one(void *argument)
{
	const struct broken *broken = argument;

	memset(&on, 0, sizeof on);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, on.pair);
	on.victim = hub_spawn(be_victim, argument);
	on.other = hub_spawn(be_other, NULL);
	hub_set_name(on.victim, "victim");
	hub_sleep(HUB_MILLISECOND);
	if (broken->breaks != NULL)
		broken->breaks();
	hub_sleep(HUB_MILLISECOND);
	if (broken->breaks != NULL)
		broken->mend();
	hub_kill(on.victim);
	hub_join(on.victim, NULL);
	hub_event_set(&on.event);
	hub_join(on.other, NULL);
	hub_close(on.pair[0]);
	hub_close(on.pair[1]);
	return NULL;
}

Test(invariants_hub, each_that_is_broken_is_told)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct broken whole = {.wait = all[i].wait};

		cr_assert_eq(hub_sim_run(1, NULL, break_one, (void *)(uintptr_t)&all[i]), -1,
			"not found: %s", all[i].sentence);
		cr_assert_eq(errno, ENOTRECOVERABLE);
		cr_assert_not_null(strstr(hub_sim_report(), all[i].sentence), "%s instead of: %s",
			hub_sim_report(), all[i].sentence);
		cr_assert_eq(hub_sim_run(1, NULL, break_one, &whole), 0, "%s", hub_sim_report());
	}
}

/* ---- greed ---- */

static void *
receive_often(void *times)
{
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, on.pair);
	for (int left = *(int *)times; left > 0; left--)
		greed_received(files_get(on.pair[0]), on.pair[0]);
	hub_close(on.pair[0]);
	hub_close(on.pair[1]);
	return NULL;
}

Test(invariants_hub, whoever_receives_without_end_is_told)
{
	int few = 64, many = 65;

	cr_assert_eq(hub_sim_run(1, NULL, receive_often, &few), 0, "%s", hub_sim_report());
	cr_assert_eq(hub_sim_run(1, NULL, receive_often, &many), -1);
	cr_assert_not_null(strstr(hub_sim_report(),
				   "descriptor 512 is received from more than 64 times in a row"),
		"%s", hub_sim_report());
}

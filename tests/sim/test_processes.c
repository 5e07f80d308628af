/* The death of what stands for a process (sim/loop/process_priv.h), as harnesses bring it. hub_run
 * is the hub's own, not the one by which tests of the hub run in a world (in_hub.c). */
#undef hub_run

#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/instead/hub/base/kernel.h"
#include "sim/loop/process_priv.h"
#include "sim/machine/fiber_priv.h"
#include "tests/sim/seeds.h"

#define SEEDS 200
#define CALLS 50
#define PROCESS 7

static struct {
	int told;      /* what the death is told by */
	bool is_dying; /* while it is told */
	unsigned late; /* calls of the process meanwhile */
	unsigned deaths;
	long last, changes; /* as in test_hubs.c, of those that live on */
} fate;

/* As within OpenSSL: nobody is preempted. */
static void *
call_at_once(void *unused)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	for (;;) {
		fate.late += fate.is_dying;
		sim_sendto_at_once(pair[0], "x", 1, MSG_DONTWAIT, NULL, 0);
		if (hub_sim_draw(4) == 0)
			hub_sleep(HUB_MICROSECOND);
	}
	return unused;
}

static void
live(void *unused)
{
	hub_run(call_at_once, unused, NULL);
}

static void
count_one(void)
{
	const uint64_t one = 1;
	ssize_t written = write(fate.told, &one, sizeof one);

	hub_sim_check(written == sizeof one, "an eventfd does not count");
}

static void
tell(void *unused)
{
	(void)unused;
	fate.is_dying = true;
	for (int i = 0; i < CALLS; i++)
		count_one();
	fate.is_dying = false;
	fate.deaths++;
}

static void *
live_on(void *argument)
{
	for (int i = 0; i < CALLS; i++) {
		count_one();
		fate.changes += fate.last != (intptr_t)argument;
		fate.last = (intptr_t)argument;
	}
	return NULL;
}

static void *
death_body(void *unused)
{
	struct hub_sim_hub *one, *other;

	fate.told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fiber_enter_process(PROCESS);
	for (int i = 0; i < 2; i++)
		fiber_start(fiber_host(), live, NULL);
	fiber_enter_process(0);
	process_kill(PROCESS, 50 + (unsigned)hub_sim_draw(50), tell, NULL);
	hub_sleep(HUB_SECOND);
	one = hub_sim_start(NULL, live_on, (void *)1);
	other = hub_sim_start(NULL, live_on, (void *)2);
	hub_sim_join(one, NULL);
	hub_sim_join(other, NULL);
	close(fate.told);
	return unused;
}

TestSuite(processes, .timeout = 120);

Test(processes, do_nothing_while_they_die_and_leave_nothing_behind)
{
	struct hub_sim_options options = {.preempted = 5};

	EACH_SEED (seed, SEEDS)
		cr_assert_eq(
			hub_sim_run(seed, &options, death_body, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(fate.deaths, SEEDS, "%u deaths", fate.deaths);
	cr_assert_eq(fate.late, 0, "a process has made %u calls after its death", fate.late);
	cr_assert_gt(fate.changes, 5 * SEEDS, "hubs took turns %ld times alone", fate.changes);
}

/* A hub's waits, without its coroutines: a loop in which a pipe is readable or not. On a slow
 * machine a sleep may seem long though its event was there: so what short ones bring about is
 * waited for. */
#include "hub/spin_priv.h"

#include <criterion/criterion.h>
#include <ev.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/record_priv.h"
#include "tests/support/in_hub.h"

#define TRIES 100000

static struct hub hub;
static struct hub_coroutine somebody, another;
static int ends[2];
static ev_io input;
static ev_timer later;
static bool come_together;

static void
wake(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)watcher, (void)events;
	hub.ready_first = &somebody;
	hub.ready_last = come_together ? &another : &somebody;
}

static void
pass(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)timer, (void)events;
}

static void
begin(int64_t most)
{
	memset(&hub, 0, sizeof hub);
	hub.loop = ev_loop_new(EVBACKEND_EPOLL);
	cr_assert_eq(pipe(ends), 0);
	ev_io_init(&input, wake, ends[0], EV_READ);
	ev_io_start(hub.loop, &input);
	ev_timer_init(&later, pass, 0, 0.02);
	spin_start(&hub, most);
}

static void
end(void)
{
	spin_stop(&hub);
	ev_loop_destroy(hub.loop);
	close(ends[0]);
	close(ends[1]);
}

/* A wait whose event is there. */
static void
wait_shortly(void)
{
	hub.ready_first = NULL;
	cr_assert_eq(write(ends[1], "x", 1), 1);
	spin_wait(&hub);
	cr_assert_eq(hub.ready_first, &somebody);
	cr_assert_eq(read(ends[0], &(char){0}, 1), 1);
}

/* A wait for 20 ms, in which nothing comes. */
static void
wait_long(void)
{
	hub.ready_first = NULL;
	ev_timer_again(hub.loop, &later);
	spin_wait(&hub);
	ev_timer_stop(hub.loop, &later);
	cr_assert_null(hub.ready_first);
}

/* Waits shortly until it spins. Returns how many waits it took. */
static unsigned
until_it_spins(void)
{
	unsigned tries = 0;

	while (!hub.spin.is_on && tries++ < TRIES)
		wait_shortly();
	cr_assert(hub.spin.is_on);
	return tries;
}

Test(spin, begins_after_short_waits_and_ends_when_nothing_comes)
{
	begin(HUB_SPIN_MOST);
	for (unsigned asked = 8; asked <= 64; asked *= 2) {
		cr_assert_eq(hub.spin.asked, asked);
		cr_assert_geq(until_it_spins(), asked);
		wait_long();
		cr_assert_not(hub.spin.is_on);
	}
	end();
}

Test(spin, long_waits_never_begin_it)
{
	begin(HUB_SPIN_AUTO);
	for (int i = 0; i < 5; i++)
		wait_long();
	cr_assert_not(hub.spin.is_on);
	end();
}

Test(spin, events_that_come_together_never_begin_it)
{
	begin(HUB_SPIN_MOST);
	come_together = true;
	for (int i = 0; i < 100; i++)
		wait_shortly();
	cr_assert_not(hub.spin.is_on);
	end();
}

/* Whether sleeping is better is found out again, now and then. */
Test(spin, ends_after_many_waits)
{
	begin(HUB_SPIN_MOST);
	until_it_spins();
	for (int i = 0; i < 1000 && hub.spin.is_on; i++)
		wait_shortly();
	cr_assert_not(hub.spin.is_on);
	until_it_spins();
	end();
}

Test(spin, is_not_begun_unless_it_is_asked_for)
{
	begin(0);
	for (int i = 0; i < 100; i++)
		wait_shortly();
	cr_assert_not(hub.spin.is_on);
	end();
}

Test(spin, waits_that_find_something_make_it_easier_to_begin)
{
	begin(HUB_SPIN_MOST);
	hub.spin.asked = 64;
	until_it_spins();
	for (int i = 0; i < 32 && hub.spin.is_on; i++)
		wait_shortly();
	cr_assert(hub.spin.is_on);
	cr_assert_eq(hub.spin.asked, 16);
	end();
}

Test(spin, as_many_hubs_as_there_are_cpus)
{
	begin(HUB_SPIN_MOST);
	*hub.spin.rivals = hub.spin.cpus;
	for (int i = 0; i < 100; i++)
		wait_shortly();
	cr_assert_not(hub.spin.is_on);
	cr_assert_eq(*hub.spin.rivals, hub.spin.cpus);
	*hub.spin.rivals = 0;
	until_it_spins();
	cr_assert_eq(*hub.spin.rivals, 1);
	end();
	cr_assert_eq(*hub.spin.rivals, 0);
}

/* Others have had the CPU since the thread's start, as it were since the last look. */
Test(spin, ends_for_a_while_when_others_want_the_cpu)
{
	int64_t truce;

	begin(HUB_SPIN_MOST);
	until_it_spins();
	if (hub.spin.waited == -1)
		cr_skip("the kernel does not tell how long a thread has waited for a CPU");
	hub.spin.waited = -CLOCK_SECOND * 1000;
	truce = hub.spin.truce;
	for (int i = 0; i < TRIES && hub.spin.is_on; i++)
		wait_shortly();
	cr_assert_not(hub.spin.is_on);
	cr_assert_gt(hub.spin.truce_until, clock_now());
	cr_assert_gt(hub.spin.truce, truce);
	hub.spin.truce_until = clock_now() + 1000 * CLOCK_SECOND;
	for (int i = 0; i < 100; i++)
		wait_shortly();
	cr_assert_not(hub.spin.is_on);
	end();
}

static void *
finish(void *argument)
{
	return argument;
}

/* Else it would leave a CPU to a hub that it does not have. */
Test(spin, a_forked_child_counts_none_of_its_parents)
{
	int status;
	pid_t child;

	cr_assert_eq(hub_run(finish, NULL, NULL), 0);
	begin(HUB_SPIN_MOST);
	until_it_spins();
	child = fork();
	if (child == 0)
		_exit((int)*hub.spin.rivals);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_assert_eq(*hub.spin.rivals, 1);
	end();
}

Test(spin, a_time_that_cannot_be_is_refused)
{
	struct hub_options options = {.spin = -1};

	cr_assert_eq(hub_run_with(&options, finish, NULL, NULL), -1);
	cr_assert_eq(errno, EINVAL);
	options.spin = HUB_SPIN_MOST + 1;
	cr_assert_eq(hub_run_with(&options, finish, NULL, NULL), -1);
	cr_assert_eq(errno, EINVAL);
	options.spin = HUB_SPIN_MOST;
	cr_assert_eq(hub_run_with(&options, finish, NULL, NULL), 0);
	options.spin = HUB_SPIN_AUTO;
	cr_assert_eq(hub_run_with(&options, finish, NULL, NULL), 0);
}

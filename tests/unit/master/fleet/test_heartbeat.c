#include "master/fleet/heartbeat.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/fleet/permits.h"
#include "master/say/history.h"
#include "tests/support/nap.h"
#include "tests/support/program.h"
#include "tests/unit/master/fake_fleet.h"

#define TICK (50 * CLOCK_MILLISECOND)

static struct fake_fleet fake;
static struct slot *slot;
static struct slot_hub *first, *second;

/* One worker of two hubs, ready; what happens to it is recorded. */
static void
begin(void)
{
	fake_open(&fake, NULL, 1, 2);
	fake_record(&fake);
	slot = fake_slot(&fake, 0);
	first = &slot->hubs[0];
	second = &slot->hubs[1];
	close(fake_serve(slot));
	fake_recorded();
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(heartbeat, .init = begin, .fini = end);

/* Time passes, tick by tick, in which the hubs of the mask have their pulse. */
static void
pass(int64_t duration, unsigned alive)
{
	for (; duration > 0; duration -= TICK) {
		for (unsigned hub = 0; hub < 2; hub++)
			slot->rows[hub].heartbeat += (alive & 1U << hub) != 0;
		heartbeat_look(slot, TICK);
	}
}

#define BOTH 3U
#define FIRST 1U
#define NONE 0U

Test(heartbeat, a_hub_that_is_silent_for_half_a_second_hangs)
{
	pass(10 * CLOCK_SECOND, BOTH);
	pass(450 * CLOCK_MILLISECOND, FIRST);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	pass(TICK, FIRST);
	cr_assert_eq(slot->state, SUPERVISION_HUNG);
	cr_assert(second->is_hung && !first->is_hung);
	cr_assert_eq(counters_server(fake.counters)->hangs, 1);
	pass(CLOCK_SECOND, FIRST);
	cr_assert_eq(counters_server(fake.counters)->hangs, 1, "counted once");
	cr_assert_str_eq(fake_recorded(), "suspect 0");
}

Test(heartbeat, a_second_hub_that_hangs_is_told_too_and_only_all_of_them_are_a_worker_that_is_well)
{
	pass(CLOCK_SECOND, FIRST);
	pass(CLOCK_SECOND, NONE);
	cr_assert_str_eq(fake_recorded(), "suspect 0, suspect 0");
	pass(CLOCK_SECOND, FIRST);
	cr_assert_eq(slot->state, SUPERVISION_HUNG);
	pass(TICK, BOTH);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	cr_assert_str_eq(fake_recorded(), "rejoined 0");
	cr_assert_eq(counters_server(fake.counters)->hangs, 2);
}

Test(heartbeat, a_pause_of_the_whole_machine_accuses_nobody)
{
	pass(400 * CLOCK_MILLISECOND, BOTH);
	/* The master did not run for an hour, and looks before any hub has had its turn. */
	heartbeat_look(slot, 3600 * CLOCK_SECOND);
	heartbeat_look(slot, 3600 * CLOCK_SECOND);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	pass(TICK, BOTH);
	cr_assert_eq(first->silent, 0);
	cr_assert_str_eq(fake_recorded(), "");
}

Test(heartbeat, a_worker_that_hangs_for_too_long_is_killed_once)
{
	pass(4950 * CLOCK_MILLISECOND, FIRST);
	cr_assert_not(slot->is_killed);
	pass(TICK, FIRST);
	cr_assert(slot->is_killed);
	cr_assert_eq(slot->state, SUPERVISION_HUNG, "until its death is seen");
	pass(10 * CLOCK_SECOND, FIRST);
	cr_assert_str_eq(fake_recorded(), "suspect 0");
}

Test(heartbeat, without_a_timeout_nobody_is_killed)
{
	fake.fleet.serving->config.hang_timeout = 0;
	pass(60 * CLOCK_SECOND, NONE);
	cr_assert_eq(slot->state, SUPERVISION_HUNG);
	cr_assert_not(slot->is_killed);
}

Test(heartbeat, while_a_worker_starts_all_its_hubs_are_waited_for)
{
	pid_t stopped = fork();

	if (stopped == 0)
		for (;;)
			raise(SIGSTOP);
	cr_assert_eq(waitid(P_PID, (id_t)stopped, &(siginfo_t){0}, WSTOPPED), 0);
	slot->pid = stopped;
	slot->state = SUPERVISION_STARTING;
	ev_timer_stop(fake.loop, &slot->healthy);
	pass(4950 * CLOCK_MILLISECOND, NONE);
	cr_assert_eq(first->silent, 4950 * CLOCK_MILLISECOND);
	cr_assert_not(slot->is_killed);
	/* It is killed; as long as its death is not seen, it is killed again after the same
	 * time. */
	pass(TICK, NONE);
	cr_assert_eq(first->silent, 0);
	cr_assert(slot->is_killed, "nobody else is to be blamed for that death");
	cr_assert_eq(slot->state, SUPERVISION_STARTING);
	cr_assert_eq(counters_server(fake.counters)->hangs, 0);
	slot->pid = getpid();
	kill(stopped, SIGKILL);
	waitpid(stopped, NULL, 0);
}

/* But its queue is another's to adopt. */
Test(heartbeat, one_that_drains_is_left_to_its_deadline)
{
	slot->state = SUPERVISION_DRAINING;
	pass(60 * CLOCK_SECOND, FIRST);
	cr_assert_not(slot->is_killed);
	cr_assert_eq(slot->state, SUPERVISION_DRAINING);
	cr_assert_eq(counters_server(fake.counters)->hangs, 0);
	cr_assert(second->is_hung && !first->is_hung);
	pass(TICK, BOTH);
	cr_assert_not(second->is_hung);
	cr_assert_str_eq(fake_recorded(), "");
}

/* ---- without a CPU ---- */

/* The thread of the second hub: the kernel tells what it does. */
static struct {
	pthread_t thread;
	_Atomic pid_t tid;
	bool computes;
	atomic_bool has_ended;
	sem_t ended;
} body;

static void *
live(void *unused)
{
	body.tid = gettid();
	if (!body.computes)
		while (sem_wait(&body.ended) == -1)
			continue;
	while (!body.has_ended)
		continue;
	return unused;
}

/* The kernel adds the first time that a thread runs at a tick, or when it goes to sleep. */
static bool
is_told(void *unused)
{
	struct cpu_time time;

	(void)unused;
	return body.tid != 0 && cpu_time_read(getpid(), body.tid, &time) &&
	       time.is_runnable == body.computes;
}

static void
start_body(bool computes)
{
	body.computes = computes;
	cr_assert_eq(sem_init(&body.ended, 0, 0), 0);
	cr_assert_eq(pthread_create(&body.thread, NULL, live, NULL), 0);
	cr_assert(wait_until(is_told, NULL, 20));
	slot->rows[1].thread = body.tid;
}

static void
end_body(void)
{
	body.has_ended = true;
	sem_post(&body.ended);
	pthread_join(body.thread, NULL);
	sem_destroy(&body.ended);
}

/* How long it has had a CPU. */
static int64_t
body_ran(void)
{
	struct timespec ran;
	clockid_t clock;

	cr_assert_eq(pthread_getcpuclockid(body.thread, &clock), 0);
	clock_gettime(clock, &ran);
	return ran.tv_sec * CLOCK_SECOND + ran.tv_nsec;
}

/* How often the log says that a hub waits for a CPU. */
static unsigned
complaints(void)
{
	unsigned count = 0;

	for (unsigned i = 0; history_newest(i) != NULL; i++)
		count += strstr(history_newest(i)->text, "hub 1 of worker 0") != NULL &&
			 strstr(history_newest(i)->text, "waits for a CPU") != NULL;
	return count;
}

Test(heartbeat, a_hub_whose_thread_sleeps_hangs_in_the_same_time)
{
	start_body(false);
	pass(450 * CLOCK_MILLISECOND, FIRST);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	pass(TICK, FIRST);
	cr_assert(second->is_hung);
	cr_assert_eq(complaints(), 0);
	end_body();
}

/* Between the ticks of the test hardly any time passes, so that a thread that computes seems to
 * wait. */
Test(heartbeat, a_hub_that_waits_for_a_cpu_is_not_hung_until_it_has_had_one_for_long_enough)
{
	start_body(true);
	pass(1450 * CLOCK_MILLISECOND, FIRST);
	/* Unless the test itself has got no CPU for that long. */
	if (body_ran() < HEARTBEAT_HUNG / 5) {
		cr_assert_eq(slot->state, SUPERVISION_READY);
		cr_assert_lt(second->silent, HEARTBEAT_HUNG);
		cr_assert_eq(complaints(), 1, "once a minute");
		cr_assert_geq(counters_server(fake.counters)->starved, CLOCK_SECOND / 2);
	}
	while (!second->is_hung) {
		nap(0.01);
		pass(TICK, FIRST);
	}
	cr_assert_str_eq(fake_recorded(), "suspect 0");
	pass(TICK, BOTH);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	cr_assert_eq(second->silent, 0);
	end_body();
}

Test(heartbeat, a_worker_that_starts_without_a_cpu_is_given_time)
{
	int64_t most = 60 * CLOCK_SECOND;

	slot->state = SUPERVISION_STARTING;
	ev_timer_stop(fake.loop, &slot->healthy);
	/* Its first thread is the test's, which runs, but for next to no time. */
	pass(most, NONE);
	cr_assert_not(slot->is_killed);
	cr_assert_lt(first->silent, CLOCK_SECOND);
}

/* ---- the fleet ---- */

Test(heartbeat, how_long_nobody_served_is_counted_while_workers_start)
{
	struct fleet *fleet = &fake.fleet;

	cr_assert_eq(sockets_listen(&fake.sockets, 0), 0);
	fleet->occupants[0].slot = slot;
	heartbeat_look_at_fleet(fleet, TICK);
	cr_assert_eq(fleet->replacing, 0);
	first->silent = FLEET_LIFE;
	heartbeat_look_at_fleet(fleet, TICK);
	cr_assert_eq(fleet->replacing, 0, "nobody starts");
	for (int deaths = 0; deaths < 10; deaths++) {
		slot->state = SUPERVISION_STARTING;
		heartbeat_look_at_fleet(fleet, TICK);
		slot->state = SUPERVISION_BACKING_OFF;
		heartbeat_look_at_fleet(fleet, TICK);
	}
	cr_assert_eq(fleet->replacing, 20 * TICK);
	/* The master did not run for an hour. */
	heartbeat_look_at_fleet(fleet, 3600 * CLOCK_SECOND);
	cr_assert_eq(fleet->replacing, 20 * TICK + FLEET_SEEN_MOST);
	first->silent = 0;
	heartbeat_look_at_fleet(fleet, TICK);
	cr_assert_eq(fleet->replacing, 0);
}

/* ---- busy ---- */

/* Whoever has overwritten them. */
Test(heartbeat, a_worker_whose_counters_were_overwritten_serves_on_with_its_permits)
{
	slot->capacity = 1000;
	permits_account(slot, 10);
	memset(slot->rows, 0xff, 2 * sizeof *slot->rows);
	pass(10 * TICK, BOTH);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	cr_assert_eq(slot_permits(slot, 0) + slot_permits(slot, 1), 10);
	cr_assert_eq(slot_open(slot, 0), 0);
	/* Neither too many nor too few can be taken back. */
	slot->rows->permits = INT64_MAX;
	permits_revoke(slot);
	cr_assert_eq(slot->granted, 0);
	slot->rows->permits = INT64_MIN;
	cr_assert_eq(permits_take(slot, 0, INT64_MAX), 0);
}

Test(heartbeat, the_share_of_time_that_a_hub_is_busy_is_smoothed)
{
	for (int i = 0; i < 100; i++) {
		slot->rows[0].hub.busy += TICK / 4;
		slot->rows[1].hub.busy += 2 * TICK;
		pass(TICK, BOTH);
	}
	cr_assert_float_eq(first->busy, 0.25, 0.01);
	cr_assert_float_eq(second->busy, 1, 0.01, "at most all of it");
	pass(TICK, BOTH);
	cr_assert_gt(first->busy, 0.15, "one quiet tick is not idleness");
}

Test(heartbeat, a_hub_that_has_not_polled_since_the_last_look_is_busy)
{
	slot->rows[0].hub.busy_since = clock_now() - CLOCK_SECOND;
	slot->rows[1].hub.busy_since = clock_now() + CLOCK_SECOND;
	for (int i = 0; i < 100; i++)
		pass(TICK, BOTH);
	cr_assert_float_eq(first->busy, 1, 0.01);
	cr_assert_float_eq(second->busy, 0, 0.01);
}

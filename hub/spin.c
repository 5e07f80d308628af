/* Whether spinning pays is learned from the waits themselves: a spin begins after sleeps that were
 * short, and each one that finds nothing doubles how many of those it takes. About one spin in
 * sixteen may find nothing; where it is more, the hub soon sleeps always. */
#include "hub/spin_priv.h"

#include <stdatomic.h>

#include "hub/base/clock.h"
#include "hub/base/cpu_time.h"
#include "hub/base/kernel.h"
#include "hub/base/loop.h"
#include "hub/record_priv.h"
#include "hub/scheduler.h"

/* By about so much a sleep is longer than the time until its event, while a CPU wakes. */
#define WAKE_TIME (50 * CLOCK_MICROSECOND)
/* A spin lasts as long as so many usual ones, but not shorter than a few polls. */
#define USUAL_SPINS 4
#define SHORTEST (5 * CLOCK_MICROSECOND)
/* How many short sleeps it takes at least and at most; and how many spins in a row that find
 * something halve that number. */
#define SLEEPS_LEAST 8
#define SLEEPS_MOST 1024
#define GOOD_SPINS 16
/* After so many spins it looks whether others wanted its CPU, and sleeps again, to learn whether
 * that is better by now. */
#define SPINS_MOST 512
/* Others wanted the hub's CPU if it has waited for it for more than one part of so many. */
#define WAITS_PART 32
/* For how long it does not spin then; twice as long each time, and half as long after spins in
 * which nobody did. */
#define TRUCE (100 * CLOCK_MILLISECOND)
#define TRUCE_MOST (3200 * CLOCK_MILLISECOND)

/* Hubs of this process that spin: those that may run on several CPUs, and those of one each. */
static atomic_uint spinning, spinning_on[CPU_SETSIZE];

/* ---- CPUs ---- */

static void
find_cpus(struct spin *spin)
{
	cpu_set_t allowed;

	spin->rivals = &spinning;
	spin->cpus = CPU_SETSIZE;
	/* It fails if the machine has more CPUs than fit. */
	if (kernel_sched_getaffinity(sizeof allowed, &allowed) != 0)
		return;
	spin->cpus = (unsigned)CPU_COUNT(&allowed);
	for (unsigned cpu = 0; spin->cpus == 1 && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			spin->rivals = &spinning_on[cpu];
}

static void
look_at_cpu(struct spin *spin)
{
	struct cpu_time time;

	spin->looked_at = clock_now();
	spin->waited = -1;
	if (cpu_time_read(kernel_getpid(), kernel_gettid(), &time))
		spin->waited = time.waited;
}

/* Whether others wanted the thread's CPU since it last looked. It does not wait for one now, so the
 * kernel's count is whole. */
static bool
is_in_the_way(struct spin *spin)
{
	int64_t looked_at = spin->looked_at, waited = spin->waited;

	look_at_cpu(spin);
	return waited != -1 && spin->waited != -1 &&
	       (spin->waited - waited) * WAITS_PART > spin->looked_at - looked_at;
}

/* ---- from start to end ---- */

void
spin_start(struct hub *hub, int64_t most)
{
	if (most == HUB_SPIN_AUTO)
		most = WAKE_TIME;
	hub->spin = (struct spin){
		.most = most, .asked = SLEEPS_LEAST, .lacking = SLEEPS_LEAST, .truce = TRUCE};
	if (most != 0)
		find_cpus(&hub->spin);
}

static void
begin(struct spin *spin)
{
	if (atomic_fetch_add_explicit(spin->rivals, 1, memory_order_relaxed) >= spin->cpus) {
		atomic_fetch_sub_explicit(spin->rivals, 1, memory_order_relaxed);
		spin->lacking = SLEEPS_MOST;
		return;
	}
	spin->is_on = true;
	spin->good = 0;
	spin->usual = spin->most / USUAL_SPINS;
	look_at_cpu(spin);
}

static void
end(struct spin *spin)
{
	atomic_fetch_sub_explicit(spin->rivals, 1, memory_order_relaxed);
	spin->is_on = false;
	spin->lacking = spin->asked;
}

void
spin_stop(struct hub *hub)
{
	if (hub->spin.is_on)
		end(&hub->spin);
}

void
spin_forget(void)
{
	atomic_store_explicit(&spinning, 0, memory_order_relaxed);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		atomic_store_explicit(&spinning_on[cpu], 0, memory_order_relaxed);
}

/* ---- learning ---- */

/* A sleep that several events end is none that a spin would have saved: what comes together is
 * answered together, at less cost than one by one. */
static void
note_sleep(struct hub *hub, struct spin *spin, int64_t began)
{
	int64_t now = clock_now();

	if (now - began > spin->most + WAKE_TIME || hub->ready_first != hub->ready_last)
		spin->lacking = spin->asked;
	else if (spin->lacking > 1)
		spin->lacking--;
	else if (now >= spin->truce_until)
		begin(spin);
}

static void
note_nothing(struct spin *spin)
{
	if (spin->asked < SLEEPS_MOST)
		spin->asked *= 2;
	end(spin);
}

static void
note_found(struct spin *spin, int64_t after)
{
	spin->usual += (after - spin->usual) / 8;
	if (++spin->good % GOOD_SPINS == 0 && spin->asked > SLEEPS_LEAST)
		spin->asked /= 2;
	if (spin->good < SPINS_MOST)
		return;
	end(spin);
	if (is_in_the_way(spin)) {
		spin->truce_until = spin->looked_at + spin->truce;
		if (spin->truce < TRUCE_MOST)
			spin->truce *= 2;
	} else if (spin->truce > TRUCE) {
		spin->truce /= 2;
	}
}

/* ---- a spin ---- */

static int64_t
limit_of(const struct spin *spin)
{
	int64_t limit = USUAL_SPINS * spin->usual;

	if (limit > spin->most)
		return spin->most;
	return limit < SHORTEST ? SHORTEST : limit;
}

/* Polls until something can run, or it has taken too long. */
static void
spin_for_events(struct hub *hub, struct spin *spin)
{
	int64_t began = clock_now(), limit = limit_of(spin), lasted;

	do {
		ev_run(hub->loop, EVRUN_NOWAIT);
		lasted = clock_now() - began;
	} while (hub->ready_first == NULL && lasted < limit);
	if (hub->ready_first == NULL)
		note_nothing(spin);
	else
		note_found(spin, lasted);
}

static void
sleep_and_learn(struct hub *hub, struct spin *spin)
{
	int64_t began = clock_now();

	ev_run(hub->loop, EVRUN_ONCE);
	note_sleep(hub, spin, began);
}

void
spin_wait(struct hub *hub)
{
	struct spin *spin = &hub->spin;

	if (spin->is_on)
		spin_for_events(hub, spin);
	if (hub->ready_first != NULL)
		return;
	if (spin->most != 0)
		sleep_and_learn(hub, spin);
	else
		ev_run(hub->loop, EVRUN_ONCE);
}

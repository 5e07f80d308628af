#include "master/fleet/last_permits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "master/fleet/generation.h"
#include "master/fleet/permits.h"
#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"

#define PROCESSES 3
#define THREADS 2
#define LIMIT 30

static struct fake_fleet fake;
static struct slot *slots[PROCESSES];
static int ends[PROCESSES];

/* Three workers of two hubs, which have all permits in use and are told to drain for good. */
static void
begin(void)
{
	fake_open(&fake, NULL, PROCESSES, THREADS);
	fake.fleet.serving->config.max_connections = LIMIT;
	fake.fleet.is_frozen = true;
	for (unsigned i = 0; i < PROCESSES; i++) {
		slots[i] = fake_slot(&fake, i);
		slots[i]->capacity = 1000;
		ends[i] = fake_serve(slots[i]);
	}
	fake.fleet.is_frozen = false;
	for (unsigned i = 0; i < PROCESSES; i++) {
		permits_account(slots[i], LIMIT / PROCESSES);
		counters_add(&slots[i]->rows[0].opened, LIMIT / PROCESSES);
	}
	fleet_leave(&fake.fleet, CHANNEL_DRAIN);
}

static void
end(void)
{
	for (unsigned i = 0; i < PROCESSES; i++)
		close(ends[i]);
	fake_close(&fake);
}

TestSuite(last_permits, .init = begin, .fini = end);

/* As at each tick. */
static void
share(void)
{
	permits_share(&fake.fleet);
	last_permits_share(&fake.fleet);
}

static void
close_some(struct slot *slot, int64_t count)
{
	counters_add(&slot->rows[1].closed, (uint64_t)count);
	counters_give_permits(&slot->rows[1], count);
}

static void
queue(struct slot *slot, unsigned hub, unsigned count)
{
	fake.fleet.occupants[slot_seat(slot, hub)].queued = count;
}

/* The hub has nobody queued any more. */
static void
quiet(struct slot *slot, unsigned hub)
{
	fake_say(slot, ends[slot->index], CHANNEL_DRAINED, hub);
}

/* What each worker has free, and what all are granted: "0 4 0, granted 30". */
static const char *
permits(void)
{
	static char text[128];
	size_t length = 0;
	int64_t granted = 0;

	for (unsigned i = 0; i < PROCESSES; i++) {
		const struct worker_row *rows = slots[i]->rows;
		int64_t free = rows == NULL ? 0 : rows[0].permits + rows[1].permits;

		length += (size_t)snprintf(text + length, sizeof text - length, "%s%jd",
			i > 0 ? " " : "", (intmax_t)free);
		granted += slots[i]->granted;
	}
	snprintf(text + length, sizeof text - length, ", granted %jd", (intmax_t)granted);
	return text;
}

Test(last_permits, what_one_worker_has_to_spare_goes_where_clients_wait)
{
	const struct slot *slot = slots[1];

	quiet(slots[0], 0);
	quiet(slots[0], 1);
	queue(slots[1], 0, 5);
	share();
	cr_assert_str_eq(permits(), "0 0 0, granted 30", "nobody has left yet");
	close_some(slots[0], 4);
	share();
	cr_assert_str_eq(permits(), "0 2 2, granted 30");
	cr_assert_eq(slot->granted, slot->rows->granted);
}

Test(last_permits, a_worker_keeps_what_its_own_queues_need)
{
	queue(slots[0], 0, 3);
	queue(slots[1], 0, 5);
	quiet(slots[0], 1);
	close_some(slots[0], 2);
	share();
	cr_assert_str_eq(
		permits(), "2 0 0, granted 30", "a hub without permits has those of its siblings");
}

Test(last_permits, what_a_dead_worker_had_is_free)
{
	queue(slots[1], 0, 50);
	quiet(slots[2], 0);
	quiet(slots[2], 1);
	slots[0]->rows[0].opened = 0;
	permits_lose(slots[0]);
	share();
	cr_assert_str_eq(permits(), "2 5 0, granted 27");
}

Test(last_permits, nobody_gets_more_than_its_files_allow)
{
	slots[1]->capacity = LIMIT / PROCESSES + 1;
	queue(slots[1], 0, 9);
	quiet(slots[0], 0);
	quiet(slots[0], 1);
	quiet(slots[2], 0);
	quiet(slots[2], 1);
	close_some(slots[0], 9);
	share();
	cr_assert_str_eq(permits(), "0 1 0, granted 22");
}

Test(last_permits, where_nobody_waits_nothing_moves)
{
	for (unsigned i = 0; i < PROCESSES; i++)
		for (unsigned hub = 0; hub < THREADS; hub++)
			quiet(slots[i], hub);
	close_some(slots[0], 9);
	share();
	cr_assert_str_eq(permits(), "9 0 0, granted 30");
}

Test(last_permits, a_worker_that_has_a_dead_ones_queue_needs_permits_for_that_one)
{
	struct occupant *dead = &fake.fleet.occupants[slot_seat(slots[2], 0)];

	for (unsigned i = 0; i < PROCESSES; i++)
		for (unsigned hub = 0; hub < THREADS; hub++)
			if (i != 2 || hub != 0)
				quiet(slots[i], hub);
	dead->slot = NULL;
	dead->queued = 5;
	close_some(slots[0], 3);
	share();
	cr_assert_str_eq(permits(), "3 0 0, granted 30");
	dead->rescuer = slots[1];
	share();
	cr_assert_str_eq(permits(), "0 3 0, granted 30");
}

Test(last_permits, a_hub_that_hangs_needs_none_for_its_queue)
{
	for (unsigned i = 0; i < PROCESSES; i++)
		for (unsigned hub = 0; hub < THREADS; hub++)
			if (i != 2 || hub != 0)
				quiet(slots[i], hub);
	fake.fleet.occupants[slot_seat(slots[2], 0)].queued = 5;
	slots[2]->hubs[0].is_hung = true;
	close_some(slots[0], 3);
	share();
	cr_assert_str_eq(permits(), "3 0 0, granted 30");
	slots[2]->hubs[0].is_hung = false;
	share();
	cr_assert_str_eq(permits(), "0 0 3, granted 30");
}

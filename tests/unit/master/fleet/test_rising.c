#include "master/fleet/rising.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "master/fleet/generation.h"
#include "master/fleet/permits.h"
#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"

static struct fake_fleet fake;
static struct generation *serving;
static int ends[3];

/* Two workers of two hubs, all ready. */
static void
begin(void)
{
	fake_open(&fake, NULL, 2, 2);
	serving = fake.fleet.serving;
	serving->config.max_connections = 40;
	for (unsigned i = 0; i < 2; i++)
		ends[i] = fake_serve(fake_slot(&fake, i));
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(rising, .init = begin, .fini = end);

/* What is said of the whole fleet, which a change that fails does not change. */
static void
assert_as_before(void)
{
	cr_assert_null(fake.fleet.rising);
	cr_assert_eq(fake.fleet.serving, serving);
	cr_assert_eq(serving->count, 2);
	cr_assert_eq(serving->config.processes, 2);
	cr_assert_eq(fake.sockets.seat_count, 4);
	cr_assert_eq(fake.sockets.listening, 4);
	cr_assert_eq(fake.fleet.seats, 4);
	cr_assert(fleet_is_steady(&fake.fleet));
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(fake.fleet.occupants[seat].slot, serving->slots[seat / 2]);
}

/* Whether each worker knows how many the server has. */
static void
assert_all_know(unsigned workers)
{
	for (unsigned i = 0; i < serving->count; i++)
		cr_assert_eq(serving->slots[i]->memo->workers, workers, "worker %u", i);
}

/* A generation that joins, as fleet_resize makes it, of one slot whose process is a fake. */
static struct generation *
begin_to_join(void)
{
	struct generation *part;

	cr_assert(generation_reserve(serving, 3));
	cr_assert_eq(sockets_grow(&fake.sockets, 6), 0);
	part = generation_new(&fake.fleet, &serving->config, GENERATION_RISING);
	part->config.processes = 3;
	part->first = 2;
	part->joins = true;
	cr_assert(generation_grow(part, 1));
	cr_assert_eq((*part->slots)->index, 2);
	fake.fleet.rising = part;
	return part;
}

Test(rising, more_workers_join_when_all_of_them_are_ready)
{
	struct slot *joins = begin_to_join()->slots[0];
	int64_t sum = 0;
	const char *why;

	ends[2] = fake_start(joins);
	cr_assert_eq(serving->count, 2);
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 1.0 1.1 [-] [-]");
	slot_event(joins, SUPERVISION_ALL_READY);
	cr_assert_eq(fake.told.risen, 1);
	cr_assert_eq(fleet_listen(&fake.fleet, &why), 0);
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 1.0 1.1 - -");
	fleet_commit(&fake.fleet);
	cr_assert_eq(serving->count, 3);
	cr_assert_eq(serving->config.processes, 3);
	cr_assert_eq(joins->generation, serving);
	assert_all_know(3);
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 1.0 1.1 2.0 2.1");
	cr_assert_eq(fake.fleet.seats, 6);
	cr_assert_eq(fake_heard(ends[2], CHANNEL_ACCEPT), 1);
	for (unsigned i = 0; i < 3; i++)
		sum += serving->slots[i]->granted;
	cr_assert_eq(sum, 40);
	cr_assert(fleet_is_steady(&fake.fleet));
	fake_fire(&fake, &fake.fleet.sweep);
	cr_assert_null(fake.fleet.leaving, "the empty shell is freed");
	cr_assert_eq(fake.sockets.seat_count, 6);
	close(ends[2]);
}

/* Its connections count while they end, from the first moment. */
Test(rising, a_worker_that_leaves_keeps_the_permits_of_its_connections)
{
	struct slot *stays = serving->slots[0], *leaves = serving->slots[1];
	int64_t taken = 0;
	const char *why;

	permits_share(&fake.fleet);
	for (unsigned hub = 0; hub < 2; hub++) {
		taken += counters_take_permits(&leaves->rows[hub], 8);
		counters_add(&leaves->rows[hub].opened, 8);
	}
	cr_assert_eq(taken, 16);
	cr_assert_eq(fleet_resize(&fake.fleet, 1, &why), 0, "%s", why);
	cr_assert_eq(serving->count, 1);
	assert_all_know(1);
	cr_assert_eq(leaves->granted, 16);
	cr_assert_eq(stays->granted, 24);
}

Test(rising, a_worker_that_dies_before_all_are_ready_undoes_all_of_it)
{
	struct generation *part = begin_to_join();

	close(fake_start(part->slots[0]));
	slot_event(part->slots[0], SUPERVISION_EXIT);
	cr_assert_eq(fake.told.fell, 1);
	fake_fire(&fake, &fake.fleet.sweep);
	assert_as_before();
}

Test(rising, what_was_bound_for_those_who_fell_is_closed_again)
{
	struct generation *part = begin_to_join();

	close(fake_start(part->slots[0]));
	generation_abandon(part);
	fleet_give_seats_back(&fake.fleet);
	cr_assert_eq(fake.sockets.seat_count, 6, "its worker still has them");
	slot_event(part->slots[0], SUPERVISION_EXIT);
	fake_fire(&fake, &fake.fleet.sweep);
	cr_assert_null(fake.fleet.leaving);
	assert_as_before();
}

static void
limit_files(rlim_t most)
{
	static struct rlimit before;
	struct rlimit limit;

	if (before.rlim_max == 0)
		cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	if (most != 0)
		limit.rlim_cur = most;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(rising, what_a_change_needs_is_looked_for_beforehand)
{
	const char *why = NULL;
	int next = dup(STDERR_FILENO), end;

	close(next);
	/* Two sockets, three files of the worker and two more for a moment: one too few. */
	limit_files((rlim_t)next + 64);
	for (end = next; end < next + 58; end++)
		cr_assert_eq(dup(STDERR_FILENO), end);
	cr_assert_eq(fleet_resize(&fake.fleet, 3, &why), -1);
	cr_assert(strstr(why, "needs 7 more in the master, which can open 6"), "%s", why);
	assert_as_before();
	limit_files(40);
	cr_assert_eq(fleet_resize(&fake.fleet, 20, &why), -1);
	cr_assert(strstr(why, "of 40 open files is too low: 20 processes x 2 threads need at least "
			      "132"),
		"%s", why);
	limit_files(0);
	assert_as_before();
	cr_assert_eq(fake.told.fell, 0);
}

Test(rising, a_fork_that_is_refused_undoes_all_of_it)
{
	const char *why = NULL;

	/* Whatever the reason: here a full table of rows, of which four are taken. */
	cr_assert_not_null(counters_claim(fake.counters, 9, 1, COUNTERS_ROWS - 5));
	cr_assert_eq(fleet_resize(&fake.fleet, 3, &why), 0, "%s", why);
	cr_assert_eq(fake.told.fell, 1);
	cr_assert(strstr(fake.told.why, "worker 2 cannot be forked: No space left"), "%s",
		fake.told.why);
	fake_fire(&fake, &fake.fleet.sweep);
	assert_as_before();
}

Test(rising, a_seat_that_cannot_listen_lets_none_of_them_listen)
{
	struct generation *part = begin_to_join();
	const char *why = NULL;
	int *last = &fake.sockets.seats[5].fds[0], fd = *last;

	close(fake_serve(part->slots[0]));
	*last = -1;
	cr_assert_eq(fleet_listen(&fake.fleet, &why), -1);
	cr_assert(strstr(why, "cannot listen"), "%s", why);
	*last = fd;
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 1.0 1.1 [-] [-]");
}

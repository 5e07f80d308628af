/* Another program is one that has other names in its layout: so a test makes one of this program
 * by renaming. */
#include "worker/layout.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/worker/shared.h"
#include "worker/catalog.h"

TestSuite(layout, .init = shared_begin, .fini = shared_end, .timeout = 60);

static char *
name_of(uint32_t layout, enum counted_number number)
{
	return counters->layouts[layout].names[catalog[number].place];
}

static void
rename_counter(uint32_t layout, enum counted_number number, const char *name)
{
	snprintf(name_of(layout, number), LAYOUT_NAME_SIZE, "%s", name);
}

/* The program that has made the segment had these two in each other's place. */
static void
swap(enum counted_number one, enum counted_number other)
{
	rename_counter(0, one, catalog[other].field);
	rename_counter(0, other, catalog[one].field);
}

/* The segment as the next program finds it, by an upgrade. */
static void
upgrade(void)
{
	counters_free(&counters);
	counters = counters_map(shared_file);
	cr_assert_not_null(counters);
}

static struct worker_row
sum(void)
{
	struct worker_row sum;

	cr_assert(counters_sum(counters, 0, 0, &sum));
	return sum;
}

Test(layout, the_same_program_has_the_same)
{
	upgrade();
	upgrade();
	cr_assert(layout_is_ready(counters, 0));
	cr_assert_not(layout_is_ready(counters, 1));
	cr_assert_eq(layout_place(counters, 0, COUNTED_late), (int)catalog[COUNTED_late].place);
}

/* A row is memory of a worker, which may have overwritten it. */
Test(layout, that_is_none_has_no_counters)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, 2);

	rows[0].accepted = rows[1].accepted = 5;
	rows[0].layout = UINT32_MAX;
	cr_assert_eq(layout_place(counters, UINT32_MAX, COUNTED_accepted), -1);
	cr_assert_not(layout_has(counters, LAYOUTS_MAX, 0));
	cr_assert_eq(counters_total(counters).accepted, 5);
	counters_fold(counters, rows, 2);
	cr_assert_eq(counters_total(counters).accepted, 5);
}

Test(layout, names_every_counter_and_nothing_else)
{
	unsigned count = 0;

	for (unsigned place = 0; place < COUNTED_ROOM; place++)
		count += layout_has(counters, 0, place);
	cr_assert_eq(count, COUNTED_MAX);
	for (unsigned i = 0; i < COUNTED_MAX; i++)
		cr_assert_str_eq(name_of(0, i), catalog[i].field);
}

Test(layout, counts_of_another_program_are_found_by_name)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1);

	row->accepted = 5;
	row->handed = 3;
	swap(COUNTED_accepted, COUNTED_handed);
	upgrade();
	cr_assert_eq(sum().accepted, 3);
	cr_assert_eq(sum().handed, 5);
	/* Its process dies: its counts stay where they were, and what they were. */
	counters_fold(counters, &counters->rows[0], 1);
	cr_assert_eq(sum().accepted, 3);
	cr_assert_eq(sum().handed, 5);
	row = counters_claim(counters, 0, 2, 1);
	row->accepted = 10;
	cr_assert_eq(sum().accepted, 13);
	counters_fold(counters, row, 1);
	cr_assert_eq(sum().accepted, 13);
	cr_assert_eq(counters_total(counters).accepted, 13);
}

Test(layout, what_a_dead_process_of_another_program_had_open_is_closed)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1);

	row->opened = 2; /* of the name closed */
	row->closed = 9; /* of the name opened */
	swap(COUNTED_opened, COUNTED_closed);
	upgrade();
	cr_assert_eq(sum().opened, 9);
	cr_assert_eq(counters_total(counters).opened - counters_total(counters).closed, 7);
	counters_fold(counters, &counters->rows[0], 1);
	cr_assert_eq(sum().closed, 9);
}

Test(layout, what_only_another_program_counts_is_kept_for_it)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1);

	row->accepted = 5;
	rename_counter(0, COUNTED_accepted, "of_former_times");
	upgrade();
	cr_assert_eq(sum().accepted, 0);
	counters_fold(counters, &counters->rows[0], 1);
	cr_assert_eq(sum().accepted, 0);
	/* The former program comes back. */
	rename_counter(1, COUNTED_accepted, "of_later_times");
	rename_counter(0, COUNTED_accepted, "accepted");
	upgrade();
	cr_assert_eq(sum().accepted, 5);
}

Test(layout, a_counter_that_is_new_begins_at_0)
{
	counters_claim(counters, 0, 1, 1)->accepted = 5;
	rename_counter(0, COUNTED_accepted, "");
	upgrade();
	cr_assert_eq(sum().accepted, 0);
	counters_claim(counters, 0, 2, 1)->accepted = 4;
	cr_assert_eq(sum().accepted, 4);
}

Test(layout, what_masters_count_goes_on)
{
	counters_note(&counters_server(counters)->respawns, 2);
	counters_note(&counters_server(counters)->hangs, 1);
	swap(COUNTED_respawns, COUNTED_hangs);
	upgrade();
	counters_note(&counters_server(counters)->respawns, 5);
	cr_assert_eq(counters_total(counters).respawns, 6);
	cr_assert_eq(counters_total(counters).hangs, 2);
}

Test(layout, there_is_room_for_so_many_programs_and_no_more)
{
	for (int i = 1; i < LAYOUTS_MAX; i++) {
		rename_counter((uint32_t)i - 1, COUNTED_late, "another");
		upgrade();
		cr_assert(layout_is_ready(counters, (uint32_t)i));
	}
	rename_counter(LAYOUTS_MAX - 1, COUNTED_late, "another");
	cr_assert_null(counters_map(shared_file));
	cr_assert_eq(errno, ENOSPC);
}

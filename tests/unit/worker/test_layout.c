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
	return counters->layouts[layout].entries[number].name;
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
	cr_assert_eq(layout_places(counters, LAYOUTS_MAX), 0);
	cr_assert_eq(counters_total(counters).accepted, 5);
	/* Its master knows which it had. */
	counters_fold(counters, rows, 2);
	cr_assert_eq(counters_total(counters).accepted, 10);
}

Test(layout, whose_entries_were_overwritten_is_nowhere_behind_a_row_or_itself)
{
	struct layout *layout = &counters->layouts[1];

	memset(layout, 'x', sizeof *layout);
	layout->state = layout_is_ready(counters, 0) ? counters->layouts[0].state : 0;
	cr_assert_eq(layout_place(counters, 1, COUNTED_accepted), -1);
	cr_assert_leq(layout_places(counters, 1), (unsigned)COUNTED_ROOM);
	layout = &counters->layouts[2];
	memcpy(layout, &counters->layouts[0], sizeof *layout);
	layout->entries[COUNTED_accepted].place = COUNTED_ROOM;
	cr_assert_eq(layout_place(counters, 2, COUNTED_accepted), -1);
	cr_assert_geq(layout_place(counters, 2, COUNTED_closed), 0);
	/* What has been looked up stays. */
	memset(&counters->layouts[0], 0, sizeof *layout);
	cr_assert_eq(layout_place(counters, 0, COUNTED_late), (int)catalog[COUNTED_late].place);
}

Test(layout, has_every_metric_and_nothing_else)
{
	const struct layout_entry *entries = counters->layouts[0].entries;
	unsigned end = 0;

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		cr_assert_str_eq(entries[i].name, catalog[i].field);
		cr_assert_eq(entries[i].place, catalog[i].place);
		cr_assert_eq(entries[i].kind, catalog[i].kind);
		if (entries[i].place + catalog_places(catalog[i].kind) > end)
			end = entries[i].place + catalog_places(catalog[i].kind);
	}
	cr_assert_str_eq(entries[COUNTED_MAX].name, "");
	cr_assert_eq(layout_places(counters, 0), end);
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
	rename_counter(0, COUNTED_accepted, "of_former_times");
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

/* ---- metrics of a service ---- */

/* The table of one release: these two, or the first alone. */
static const struct hubbub_metric *
table(const char *first, enum hubbub_metric_kind kind, const char *second)
{
	static struct hubbub_metric metrics[3];

	metrics[0] = (struct hubbub_metric){.name = first, .help = "Help.", .kind = kind};
	metrics[1] =
		(struct hubbub_metric){.name = second, .help = "Help.", .kind = HUBBUB_HISTOGRAM};
	return metrics;
}

static void
upgrade_to(const struct hubbub_metric *metrics)
{
	catalog_add_service(metrics);
	upgrade();
}

/* Of the service's metric of this index, the first count. */
static uint64_t *
count_of(struct worker_row *row, unsigned metric)
{
	return &row->counts[catalog[COUNTED_MAX + metric].place];
}

static uint64_t
total_of(unsigned metric)
{
	struct worker_row total;

	counters_sum_all(counters, &total);
	return *count_of(&total, metric);
}

Test(layout, metrics_of_a_service_go_on_in_another_place)
{
	struct worker_row *row;

	upgrade_to(table("a", HUBBUB_COUNTER, "sizes"));
	row = counters_claim(counters, 0, 1, 1);
	*count_of(row, 0) = 5;
	buckets_record((struct buckets *)(void *)count_of(row, 1), 700);
	upgrade_to(table("b", HUBBUB_COUNTER, "a_is_gone"));
	cr_assert_eq(total_of(0), 0);
	cr_assert_eq(total_of(1), 0);
	/* While the other release serves, its process dies. */
	counters_fold(counters, row, 1);
	row = counters_claim(counters, 0, 2, 1);
	*count_of(row, 0) = 3;
	upgrade_to(table("a", HUBBUB_COUNTER, "sizes"));
	cr_assert_eq(total_of(0), 5);
	cr_assert_eq(total_of(1), 700, "a histogram's first count is the sum");
	upgrade_to(table("b", HUBBUB_COUNTER, NULL));
	cr_assert_eq(total_of(0), 3);
	catalog_add_service(NULL);
}

Test(layout, a_metric_of_another_kind_is_another_metric)
{
	struct worker_row *row;

	upgrade_to(table("a", HUBBUB_COUNTER, NULL));
	row = counters_claim(counters, 0, 1, 1);
	*count_of(row, 0) = 5;
	upgrade_to(table("a", HUBBUB_GAUGE, NULL));
	cr_assert_eq(total_of(0), 0);
	upgrade_to(table("a", HUBBUB_COUNTER, NULL));
	cr_assert_eq(total_of(0), 5);
	catalog_add_service(NULL);
}

/* The fields of Hubbub's own counters have no prefix. */
Test(layout, a_metric_of_the_service_is_none_of_hubbub_s)
{
	upgrade_to(table("accepted", HUBBUB_COUNTER, NULL));
	counters_claim(counters, 0, 1, 1)->accepted = 7;
	cr_assert_eq(total_of(0), 0);
	cr_assert_eq(sum().accepted, 7);
	catalog_add_service(NULL);
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

static uint64_t *
listened(struct worker_row *row, const char *listener)
{
	return &row->counts[catalog_find_listener(listener)];
}

/* Another release has other listeners, and more metrics before them; or none. */
Test(layout, a_listener_is_found_by_its_name)
{
	struct worker_row *row, total;

	catalog_add_service(NULL);
	catalog_add_listener("a");
	catalog_add_listener("b");
	upgrade();
	row = counters_claim(counters, 0, 1, 1);
	*listened(row, "b") = 5;
	row->accepted = 6;
	upgrade_to(table("x", HUBBUB_COUNTER, "sizes"));
	counters_fold(counters, row, 1);
	catalog_add_service(table("x", HUBBUB_COUNTER, NULL));
	catalog_add_listener("b");
	catalog_add_listener("accepted");
	upgrade();
	counters_sum_all(counters, &total);
	cr_assert_eq(*listened(&total, "b"), 5);
	cr_assert_eq(*listened(&total, "accepted"), 0, "no counter of Hubbub's");
	cr_assert_eq(total.accepted, 6);
	catalog_add_service(NULL);
}

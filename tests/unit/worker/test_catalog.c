/* Each row of the table, whatever it counts: so a counter that is added is tested, too. */
#include "worker/catalog.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/worker/shared.h"

TestSuite(catalog, .init = shared_begin, .fini = shared_end, .timeout = 60);

/* Another number for each counter. */
static uint64_t
some(unsigned number)
{
	return 1000 + 7 * number;
}

static void
count_some(struct worker_row *row)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++)
		row->counts[catalog[i].place] = some(i);
	/* Or what is open would count as closed. */
	row->closed = row->opened;
}

Test(catalog, each_has_a_place_of_its_own)
{
	const struct worker_row *row = counters->rows;
	bool is_taken[COUNTED_ROOM] = {false};

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		cr_assert_lt(catalog[i].place, COUNTED_ROOM, "%s", catalog[i].field);
		cr_assert_not(is_taken[catalog[i].place], "%s", catalog[i].field);
		is_taken[catalog[i].place] = true;
	}
	cr_assert_eq(&row->counts[catalog[COUNTED_refused_tls].place], &row->refused_tls);
	cr_assert_eq(&row->counts[catalog[COUNTED_polls].place], &row->hub.polls);
}

/* A former name that a new counter takes would be told twice. */
Test(catalog, former_names_are_nobodys)
{
	unsigned renamed = 0;

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const char *former = catalog_former_name(catalog[i].metric);

		renamed += former != NULL;
		for (unsigned other = 0; former != NULL && other < COUNTED_MAX; other++)
			cr_assert_str_neq(former, catalog[other].metric);
	}
	cr_assert_eq(renamed, 2, "each former name is of a counter that exists");
}

Test(catalog, each_is_added_up_over_processes_and_stays_when_they_die)
{
	struct worker_row *first = counters_claim(counters, 1, 1, 1), sum;
	struct worker_row *second = counters_claim(counters, 1, 2, 1);

	count_some(first);
	count_some(second);
	for (int dead = 0; dead <= 2; dead++) {
		if (dead > 0)
			counters_fold(counters, dead == 1 ? first : second, 1);
		cr_assert(counters_sum(counters, 1, 0, &sum));
		for (unsigned i = 0; i < COUNTED_MAX; i++) {
			uint64_t expected = i == COUNTED_closed ? some(COUNTED_opened) : some(i);

			expected *= catalog[i].kind == CATALOG_COUNTER ? 2 : dead < 2;
			cr_assert_eq(catalog_count(&sum, i), expected, "%s, %d dead",
				catalog[i].field, dead);
		}
	}
}

Test(catalog, a_gauge_is_the_most_of_the_living)
{
	struct worker_row *first = counters_claim(counters, 1, 1, 1), sum;
	struct worker_row *second = counters_claim(counters, 1, 2, 1);

	first->lag = 30;
	second->lag = 20;
	counters_sum(counters, 1, 0, &sum);
	cr_assert_eq(sum.lag, 30);
	counters_fold(counters, first, 1);
	counters_sum(counters, 1, 0, &sum);
	cr_assert_eq(sum.lag, 20);
}

Test(catalog, what_masters_count_is_in_the_total_and_no_hub_s)
{
	struct worker_row sum;

	counters_claim(counters, 0, 1, 1);
	counters_note(&counters_server(counters)->respawns, 3);
	cr_assert_eq(counters_total(counters).respawns, 3);
	counters_sum(counters, 0, 0, &sum);
	cr_assert_eq(sum.respawns, 0);
}

Test(catalog, a_value_is_in_the_unit_of_its_metric)
{
	struct worker_row row = {.accepted = 3};

	row.hub.busy = 1500000000;
	cr_assert_eq(catalog_value(&row, COUNTED_accepted), 3);
	cr_assert_float_eq(catalog_value(&row, COUNTED_busy), 1.5, 1e-12);
}

/* ---- names ---- */

static bool
is_name(const char *text)
{
	return text[0] >= 'a' && text[0] <= 'z' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

static bool
ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static bool
is_same_metric(unsigned one, unsigned other)
{
	return strcmp(catalog[one].metric, catalog[other].metric) == 0;
}

Test(catalog, metrics_have_names_as_prometheus_wants_them)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		cr_assert(is_name(catalog[i].metric), "%s", catalog[i].metric);
		cr_assert_eq(ends_with(catalog[i].metric, "_total"),
			catalog[i].kind == CATALOG_COUNTER, "%s", catalog[i].metric);
		cr_assert_eq(strstr(catalog[i].metric, "_seconds") != NULL,
			catalog[i].unit == INT64_C(1000000000), "%s", catalog[i].metric);
		cr_assert(catalog[i].label == NULL || is_name(catalog[i].label));
	}
}

/* Two rows of one metric that differ in more than their label would be two metrics of one name. */
static void
assert_siblings(unsigned one, unsigned other)
{
	cr_assert_not_null(catalog[one].label, "%s", catalog[one].metric);
	cr_assert_not_null(catalog[other].label, "%s", catalog[one].metric);
	cr_assert_str_neq(catalog[one].label, catalog[other].label, "%s", catalog[one].metric);
	cr_assert_eq(catalog[one].kind, catalog[other].kind, "%s", catalog[one].metric);
	cr_assert_eq(catalog[one].is_server, catalog[other].is_server, "%s", catalog[one].metric);
	for (unsigned between = one; between < other; between++)
		cr_assert(is_same_metric(one, between), "%s is in two places of the table",
			catalog[one].metric);
}

Test(catalog, a_metric_is_one_row_or_rows_that_follow_each_other_and_differ_by_label)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++)
		for (unsigned other = i + 1; other < COUNTED_MAX; other++)
			if (is_same_metric(i, other))
				assert_siblings(i, other);
}

Test(catalog, the_first_row_of_a_metric_says_what_it_is)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		bool is_first = i == 0 || !is_same_metric(i - 1, i);
		const char *help = catalog[i].help;

		cr_assert_eq(help != NULL, is_first, "%s", catalog[i].field);
		if (help == NULL)
			continue;
		cr_assert(*help >= 'A' && *help <= 'Z' && ends_with(help, "."), "%s", help);
		cr_assert_null(strpbrk(help, "\n\\"), "%s", help);
	}
}

Test(catalog, the_state_has_whole_numbers_under_names_of_their_own)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const struct catalog_entry *entry = &catalog[i];

		cr_assert(entry->total == NULL || is_name(entry->total), "%s", entry->field);
		cr_assert(entry->total == NULL || entry->unit == 1, "%s", entry->field);
		cr_assert(!entry->in_hubs || (entry->label == NULL && !entry->is_server), "%s",
			entry->field);
		cr_assert(!entry->in_hubs || entry->unit == 1, "%s", entry->field);
		for (unsigned other = 0; entry->total != NULL && other < i; other++)
			if (catalog[other].total != NULL &&
				strcmp(catalog[other].total, entry->total) == 0)
				cr_assert(is_same_metric(i, other), "%s", entry->total);
	}
}

/* Each row of the table, whatever it counts: so a counter that is added is tested, too. */
#include "worker/catalog.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/worker/shared.h"

enum { KEYS, LOOKUPS, TIME };

static const struct hubbub_metric metrics[] = {
	[KEYS] = {"store_keys", "Keys.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	[LOOKUPS] = {"store_lookups_total", "Lookups.", HUBBUB_COUNTER, HUBBUB_ONES, {NULL}},
	[TIME] = {"store_seconds", "How long.", HUBBUB_HISTOGRAM, HUBBUB_SECONDS, {NULL}},
	{.name = NULL},
};

/* The service's metrics are there in each test, as they are in each server. */
static void
begin(void)
{
	catalog_add_service(metrics);
	shared_begin();
}

TestSuite(catalog, .init = begin, .fini = shared_end, .timeout = 60);

/* Another number for each counter. */
static uint64_t
some(unsigned number)
{
	return 1000 + 7 * number;
}

static void
count_some(struct worker_row *row)
{
	for (unsigned i = 0; i < catalog_size; i++)
		for (unsigned at = 0; at < catalog_places(catalog[i].kind); at++)
			row->counts[catalog[i].place + at] = some(i) + at;
	/* Or what is open would count as closed. */
	row->closed = row->opened;
}

Test(catalog, each_has_a_place_of_its_own)
{
	const struct worker_row *row = counters->rows;
	bool is_taken[COUNTED_ROOM] = {false};

	for (unsigned i = 0; i < catalog_size; i++)
		for (unsigned at = 0; at < catalog_places(catalog[i].kind); at++) {
			cr_assert_lt(catalog[i].place + at, COUNTED_ROOM, "%s", catalog[i].field);
			cr_assert_not(is_taken[catalog[i].place + at], "%s", catalog[i].field);
			is_taken[catalog[i].place + at] = true;
		}
	cr_assert_eq(&row->counts[catalog[COUNTED_refused_tls].place], &row->refused_tls);
	cr_assert_eq(&row->counts[catalog[COUNTED_polls].place], &row->hub.polls);
}

/* A former name that a new counter takes would be told twice. */
Test(catalog, former_names_are_nobodys)
{
	unsigned renamed = 0;

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const char *former = catalog_former_name(&catalog[i]);

		renamed += former != NULL;
		for (unsigned other = 0; former != NULL && other < COUNTED_MAX; other++)
			cr_assert_str_neq(former, catalog[other].metric);
	}
	cr_assert_eq(renamed, 2, "each former name is of a counter that exists");
}

/* What two processes of a hub have counted in one place, when so many of them are dead. */
static uint64_t
expected(unsigned number, unsigned at, unsigned dead)
{
	uint64_t each = number == COUNTED_closed ? some(COUNTED_opened) : some(number) + at;

	if (catalog[number].kind == CATALOG_PEAK)
		return dead < 2 ? each : 0;
	return each * (catalog[number].kind == CATALOG_GAUGE ? 2 - dead : 2);
}

Test(catalog, each_is_added_up_over_processes_and_stays_when_they_die)
{
	struct worker_row *first = counters_claim(counters, 1, 1, 1), sum;
	struct worker_row *second = counters_claim(counters, 1, 2, 1);

	count_some(first);
	count_some(second);
	for (unsigned dead = 0; dead <= 2; dead++) {
		if (dead > 0)
			counters_fold(counters, dead == 1 ? first : second, 1);
		cr_assert(counters_sum(counters, 1, 0, &sum));
		for (unsigned i = 0; i < catalog_size; i++)
			for (unsigned at = 0; at < catalog_places(catalog[i].kind); at++)
				cr_assert_eq(sum.counts[catalog[i].place + at],
					expected(i, at, dead), "%s, %u dead", catalog[i].field,
					dead);
	}
}

Test(catalog, a_peak_is_the_most_of_the_living)
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
	row.counts[catalog[COUNTED_MAX + KEYS].place] = (uint64_t)-4;
	cr_assert_eq(catalog_value(&row, COUNTED_MAX + KEYS), -4);
}

Test(catalog, has_the_metrics_of_the_service_behind_its_own)
{
	cr_assert_eq(catalog_size, COUNTED_MAX + 3);
	cr_assert_str_eq(catalog[COUNTED_MAX + LOOKUPS].metric, "store_lookups_total");
	cr_assert_str_eq(catalog_prefix(&catalog[COUNTED_MAX]), "");
	cr_assert_str_eq(catalog_prefix(&catalog[COUNTED_accepted]), "hubbub_");
	catalog_add_service(NULL);
	cr_assert_eq(catalog_size, COUNTED_MAX);
}

/* ---- the service's table ---- */

/* What catalog_check says of this one metric behind a sound one; "" if nothing. */
static const char *
check(struct hubbub_metric metric)
{
	const struct hubbub_metric table[] = {metrics[KEYS], metric, {.name = NULL}};
	static char fault[CATALOG_FAULT_SIZE];

	return catalog_check(table, fault) ? "" : fault;
}

Test(catalog, takes_sound_metrics)
{
	char fault[CATALOG_FAULT_SIZE];

	cr_assert(catalog_check(NULL, fault));
	cr_assert(catalog_check(metrics, fault));
	for (unsigned i = LOOKUPS; i <= TIME; i++)
		cr_assert_str_eq(check(metrics[i]), "");
	cr_assert_str_eq(check((struct hubbub_metric){.name = "a_seconds_total",
				 .help = "Time.",
				 .kind = HUBBUB_COUNTER,
				 .unit = HUBBUB_SECONDS}),
		"");
}

Test(catalog, says_what_is_wrong_with_a_name)
{
	static const struct {
		const char *name;
		enum hubbub_metric_kind kind;
		const char *why;
	} wrong[] = {
		{"hubbub_keys", HUBBUB_GAUGE, "does not begin with hubbub_"},
		{"up", HUBBUB_GAUGE, "is not 'up'"},
		{"scrape_x", HUBBUB_GAUGE, "scrape_"},
		{"x_bucket", HUBBUB_GAUGE, "_bucket"},
		{"x_count", HUBBUB_GAUGE, "_count"},
		{"x_sum", HUBBUB_GAUGE, "_sum"},
		{"", HUBBUB_GAUGE, "1 to 63 letters"},
		{"7x", HUBBUB_GAUGE, "begins with no digit"},
		{"a-b", HUBBUB_GAUGE, "letters, digits and '_'"},
		{"a:b", HUBBUB_GAUGE, "letters, digits and '_'"},
		{"a23456789_123456789_123456789_123456789_123456789_123456789_1234", HUBBUB_GAUGE,
			"1 to 63"},
		{"lookups", HUBBUB_COUNTER, "ends in _total"},
		{"keys_total", HUBBUB_GAUGE, "ends in _total"},
		{"x_seconds", HUBBUB_GAUGE, "HUBBUB_SECONDS"},
		{"store_keys", HUBBUB_GAUGE, "two metrics"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const char *fault = check((struct hubbub_metric){
			.name = wrong[i].name, .help = "Help.", .kind = wrong[i].kind});
		char name[80];

		cr_assert_not_null(strstr(fault, wrong[i].why), "%s: %s", wrong[i].name, fault);
		snprintf(name, sizeof name, "metric %.63s: ", wrong[i].name);
		cr_assert_not_null(strstr(fault, name), "%s", fault);
	}
}

Test(catalog, says_what_is_wrong_with_a_metric)
{
	struct hubbub_metric metric = {.name = "a", .help = "Help."};

	metric.kind = HUBBUB_GAUGE;
	metric.unit = HUBBUB_SECONDS;
	cr_assert_not_null(strstr(check(metric), "ends in _seconds"));
	metric.unit = HUBBUB_SECONDS + 1;
	cr_assert_not_null(strstr(check(metric), "its unit"));
	metric.unit = HUBBUB_ONES;
	cr_assert_str_eq(check(metric), "");
	metric.help = NULL;
	cr_assert_not_null(strstr(check(metric), "its help"));
	metric.help = "two\nlines";
	cr_assert_not_null(strstr(check(metric), "its help"));
	metric.help = "Help.";
	metric.room[3] = &metric;
	cr_assert_not_null(strstr(check(metric), "its room"));
	metric.room[3] = NULL;
	metric.kind = HUBBUB_HISTOGRAM + 1;
	cr_assert_not_null(strstr(check(metric), "its kind"));
}

/* So many metrics of one kind, with names of their own. */
static bool
is_room_for(unsigned count, enum hubbub_metric_kind kind)
{
	static char names[HUBBUB_METRICS_MAX + 1][16];
	struct hubbub_metric table[HUBBUB_METRICS_MAX + 2] = {{.name = NULL}};
	char fault[CATALOG_FAULT_SIZE];

	for (unsigned i = 0; i < count; i++) {
		snprintf(names[i], sizeof names[i], "m%u", i);
		table[i] = (struct hubbub_metric){.name = names[i], .help = "Help.", .kind = kind};
	}
	if (catalog_check(table, fault)) {
		catalog_add_service(table);
		return true;
	}
	return false;
}

Test(catalog, has_room_for_so_many_and_no_more)
{
	cr_assert(is_room_for(HUBBUB_METRICS_MAX, HUBBUB_GAUGE));
	cr_assert_not(is_room_for(HUBBUB_METRICS_MAX + 1, HUBBUB_GAUGE));
	cr_assert(is_room_for(5, HUBBUB_HISTOGRAM));
	cr_assert_not(is_room_for(6, HUBBUB_HISTOGRAM));
	catalog_add_service(NULL);
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

/* A histogram is an object, in the metric's unit. */
static bool
is_told_whole(const struct catalog_entry *entry)
{
	return entry->unit == 1 || entry->kind == CATALOG_HISTOGRAM;
}

Test(catalog, the_state_has_whole_numbers_under_names_of_their_own)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const struct catalog_entry *entry = &catalog[i];

		cr_assert(entry->total == NULL || is_name(entry->total), "%s", entry->field);
		cr_assert(entry->total == NULL || is_told_whole(entry), "%s", entry->field);
		cr_assert(!entry->in_hubs || (entry->label == NULL && !entry->is_server), "%s",
			entry->field);
		cr_assert(!entry->in_hubs || is_told_whole(entry), "%s", entry->field);
		for (unsigned other = 0; entry->total != NULL && other < i; other++)
			if (catalog[other].total != NULL &&
				strcmp(catalog[other].total, entry->total) == 0)
				cr_assert(is_same_metric(i, other), "%s", entry->total);
	}
}

/* ---- listeners ---- */

Test(catalog, has_listeners_behind_the_service_s_metrics)
{
	cr_assert_eq(catalog_listeners, catalog_size);
	cr_assert_eq(catalog_find_listener("b"), -1);
	catalog_add_listener("admin");
	catalog_add_listener("b");
	cr_assert_eq(catalog_size, catalog_listeners + 2);
	cr_assert_eq(catalog_find_listener("b"), catalog_find_listener("admin") + LISTENED_ROOM);
	catalog_add_service(metrics);
	cr_assert_eq(catalog_listeners, catalog_size);
	cr_assert_eq(catalog_find_listener("b"), -1);
	catalog_add_service(NULL);
}

/* A service may have more: they are served, and not counted. */
Test(catalog, has_as_many_listeners_as_there_is_room_for)
{
	static char names[CATALOG_LISTENERS_MAX + 1][8];

	catalog_add_service(NULL);
	for (unsigned i = 0; i <= CATALOG_LISTENERS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "l%u", i);
		catalog_add_listener(names[i]);
	}
	cr_assert_eq(catalog_size, catalog_listeners + CATALOG_LISTENERS_MAX);
	cr_assert(is_room_for(5, HUBBUB_HISTOGRAM));
	for (unsigned i = 0; i < CATALOG_LISTENERS_MAX; i++)
		catalog_add_listener("another");
	cr_assert_gt(catalog_size, catalog_listeners + 4);
	for (const struct catalog_entry *each = &catalog[catalog_listeners];
		each < &catalog[catalog_size]; each++)
		cr_assert_leq(each->place + LISTENED_ROOM, COUNTED_ROOM);
	catalog_add_service(NULL);
}

/* What is put together without printf is what printf would write. */
#include "master/face/exposition.h"

#include <criterion/criterion.h>

static char labels[EXPOSITION_LABELS_SIZE], text[8192];
static FILE *stream;

static void
begin(void)
{
	stream = fmemopen(text, sizeof text, "w");
	exposition_label(labels, 3, 17);
}

static void
end(void)
{
	fclose(stream);
}

TestSuite(exposition, .init = begin, .fini = end, .timeout = 60);

/* What was written since the last time. */
static const char *
written(void)
{
	long end = ftell(stream);

	rewind(stream);
	text[end] = '\0';
	return text;
}

Test(exposition, a_value_has_fifteen_digits)
{
	static const double values[] = {0, 1, 9, 10, 99, 100, 4294967296., 999999999999999., 1e15,
		1e15 + 2, 1.8446744073709552e19, 1e300, -1, -3e17, 0.5, 1e-9, 80.900004097,
		123456789.123456789, 1. / 3};
	char expected[128];

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		exposition_value(stream, "hubbub_x", labels, NULL, values[i]);
		snprintf(expected, sizeof expected, "hubbub_x{worker=\"3\",hub=\"17\"} %.15g\n",
			values[i]);
		cr_assert_str_eq(written(), expected);
	}
}

Test(exposition, a_value_may_be_of_a_kind)
{
	exposition_value(stream, "x", labels, "limit", 7);
	cr_assert_str_eq(written(), "x{worker=\"3\",hub=\"17\",kind=\"limit\"} 7\n");
}

Test(exposition, labels_have_room_for_any_number)
{
	exposition_label(labels, UINT32_MAX, UINT32_MAX);
	cr_assert_str_eq(labels, "{worker=\"4294967295\",hub=\"4294967295\"");
}

/* As in the first release, line by line. */
static const char *
expect(const struct catalog_entry *metric, const struct buckets *buckets)
{
	static char expected[8192];
	uint64_t bound = metric->unit == 1 ? 1 : 1024, count = 0;
	uint64_t last = UINT64_C(1) << (metric->unit == 1 ? 30 : 36);
	char *at = expected;

	for (unsigned i = 0; i < BUCKETS_COUNT; i++) {
		count += buckets->counts[i];
		if (buckets_bound(i) != bound || bound > last)
			continue;
		at += sprintf(at, "h_bucket{worker=\"3\",hub=\"17\",le=\"%.15g\"} %lu\n",
			(double)bound / (double)metric->unit, (unsigned long)count);
		bound *= 2;
	}
	at += sprintf(
		at, "h_bucket{worker=\"3\",hub=\"17\",le=\"+Inf\"} %lu\n", (unsigned long)count);
	at += sprintf(at, "h_sum{worker=\"3\",hub=\"17\"} %.15g\n",
		(double)buckets->sum / (double)metric->unit);
	sprintf(at, "h_count{worker=\"3\",hub=\"17\"} %lu\n", (unsigned long)count);
	return expected;
}

Test(exposition, a_histogram_has_each_power_of_two_in_its_unit)
{
	static const struct catalog_entry metrics[] = {{.kind = CATALOG_HISTOGRAM, .unit = 1},
		{.kind = CATALOG_HISTOGRAM, .unit = 1000000000}};
	struct exposition_bounds bounds;
	struct buckets buckets = {0};

	for (int64_t value = 0; value < BUCKETS_VALUE_MAX; value = 3 * value + 1) {
		buckets_record(&buckets, value);
		for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
			exposition_bound(&bounds, &metrics[i]);
			exposition_histogram(stream, "h", labels, &bounds, &buckets);
			cr_assert_str_eq(written(), expect(&metrics[i], &buckets));
		}
	}
}

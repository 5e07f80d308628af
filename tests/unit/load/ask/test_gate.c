#include <criterion/criterion.h>
#include <errno.h>

#include "tests/load/ask/gate.h"
#include "tests/load/count/segment.h"

static struct measurement measurement;

/* A hundred messages of 1 to 100 us in 2 s, of 120 due; two errors. */
static void
measure(void)
{
	measurement = (struct measurement){.seconds = 2};
	for (int64_t i = 1; i <= 100; i++) {
		histogram_record(&measurement.response, i * 1000);
		histogram_record(&measurement.service, i * 500);
	}
	measurement.tally.received = 100;
	measurement.tally.due = 120;
	measurement.tally.lost = 7;
	measurement.tally.alive = 9;
	measurement.tally.timeouts = 1;
	measurement.tally.errors[SEGMENT_READ][ECONNRESET] = 1;
	measurement.tally.faults[MESSAGE_CROSSED] = 3;
}

static bool
holds(const char *text)
{
	struct gate gate;
	char why[256];
	double value;
	bool is_time;

	cr_assert(gate_read(text, &gate, why, sizeof why), "%s: %s", text, why);
	return gate_holds(&gate, &measurement, &value, &is_time);
}

Test(gate, conditions_hold_or_not, .init = measure)
{
	static const struct {
		const char *text;
		bool holds;
	} cases[] = {{"p99>98us", true}, {"p99>2ms", false}, {"p50<=51us", true},
		{"max>=100us", true}, {"max>100us", false}, {"min=1us", true}, {"mean<51us", true},
		{"mean>50us", true}, {"service.p99<50us", true}, {"response.p99<50us", false},
		{"errors>0", true}, {"errors=2", true}, {"errors!=2", false},
		{"error_rate>5%", true}, {"error_rate>6%", false}, {"corrupt>0", true},
		{"corrupt=3", true}, {"lost=7", true}, {"mps<51", true}, {"mps>=50", true},
		{"mps<0.9k", true}, {"rate_ratio<0.99", true}, {"rate_ratio<0.8", false},
		{"open=9", true}, {"p99 > 98us", true}, {"p99>98us,errors=2", true},
		{"p99>98us,errors=0", false}, {"p99.9>=99us", true}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_assert_eq(holds(cases[i].text), cases[i].holds, "%s", cases[i].text);
}

Test(gate, of_what_is_not_there_nothing_holds, .init = measure)
{
	cr_assert_not(holds("connect.p99>0"));
	cr_assert_not(holds("connect.p99<1h"));
	cr_assert_not(holds("lag.max>=0"));
}

Test(gate, the_value_that_decides_is_told, .init = measure)
{
	struct gate gate;
	char why[256];
	double value;
	bool is_time;

	cr_assert(gate_read("p50<1ms,errors=0", &gate, why, sizeof why));
	cr_assert_not(gate_holds(&gate, &measurement, &value, &is_time));
	cr_assert_eq(value, 2);
	cr_assert_not(is_time);
}

Test(gate, what_cannot_be_read_is_named)
{
	static const struct {
		const char *text;
		const char *phrase;
	} cases[] = {{"", "empty"}, {"p99", "no comparison"}, {"p99>", "a time"},
		{"p99>2x", "a time"}, {"p99>2", "a time"}, {"max<0.5", "a time"},
		{"p101>1ms", "'p101'"}, {"speed>1", "'speed'"}, {"errors>many", "a number"},
		{"service.errors>1", "'service.errors'"}, {"p99!2", "no comparison"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct gate gate;
		char why[256] = "";

		cr_assert_not(
			gate_read(cases[i].text, &gate, why, sizeof why), "%s", cases[i].text);
		cr_assert_not_null(strstr(why, cases[i].phrase), "%s: %s", cases[i].text, why);
	}
}

static struct gate
read(const char *text)
{
	struct gate gate;
	char why[256];

	cr_assert(gate_read(text, &gate, why, sizeof why), "%s: %s", text, why);
	return gate;
}

Test(gate, one_that_no_measurement_makes_true_or_false_is_known)
{
	static const char *const idle[] = {"p99<0", "p99>=0", "errors>=0", "errors<0",
		"error_rate>1", "error_rate>100%", "rate_ratio>1", "error_rate<=1", "mps>=0",
		"p99>=0,errors>=0", "p99>2ms,errors<0"};
	static const char *const apt[] = {"p99>2ms", "errors>0", "errors=0", "error_rate>1%",
		"error_rate>=1", "rate_ratio<0.99", "rate_ratio=1", "mps<900k", "open<10",
		"errors!=0", "p99>=0,errors>0"};

	for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++) {
		struct gate gate = read(idle[i]);

		cr_assert_not_null(gate_why_idle(&gate), "%s", idle[i]);
	}
	for (size_t i = 0; i < sizeof apt / sizeof apt[0]; i++) {
		struct gate gate = read(apt[i]);

		cr_assert_null(gate_why_idle(&gate), "%s", apt[i]);
	}
}

Test(gate, a_goal_is_what_too_high_a_rate_breaks)
{
	static const char *const wrong[] = {"p99>2ms", "p99>=2ms", "errors>0", "errors=5",
		"rate_ratio<0.99", "mps>1k", "mps<1k", "p99<0", "error_rate<=1", "rate_ratio>=0",
		"p99<2ms,p50>1ms"};
	static const char *const right[] = {"p99<2ms", "p99<=2ms", "errors=0", "errors<1",
		"error_rate<1%", "rate_ratio>0.99", "rate_ratio=1", "open=64", "max<1s",
		"p99<2ms,errors=0"};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct gate gate = read(wrong[i]);

		cr_assert_not_null(gate_why_no_goal(&gate), "%s", wrong[i]);
	}
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		struct gate gate = read(right[i]);

		cr_assert_null(gate_why_no_goal(&gate), "%s", right[i]);
	}
}

/* A server that catches up after the warm-up. */
Test(gate, no_more_is_answered_than_was_due, .init = measure)
{
	measurement.tally.received = 150;
	cr_assert_eq(measurement_ratio(&measurement), 1);
	cr_assert(holds("rate_ratio=1"));
}

Test(gate, a_percentile_takes_messages)
{
	static const struct {
		const char *text;
		double samples;
	} cases[] = {{"p99<2ms", 50}, {"p99.9<2ms,p50<1ms", 500}, {"p50<1ms", 10}, {"p100<1s", 10},
		{"errors=0", 10}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct gate gate = read(cases[i].text);

		cr_assert_float_eq(
			gate_samples(&gate), cases[i].samples, 0.001, "%s", cases[i].text);
	}
}

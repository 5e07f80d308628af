#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "tests/load/ask/plan.h"

#define SECOND INT64_C(1000000000)

static struct plan_rate
rate_of(const char *text, double warmup, double duration)
{
	struct plan_rate rate = {.warmup = warmup, .duration = duration};
	const char *why = plan_read_rate(text, &rate);

	cr_assert_null(why, "%s: %s", text, why);
	return rate;
}

/* How many messages come due before a time, over all threads. */
static uint64_t
count_until(const struct plan_rate *rate, enum plan_arrivals arrivals, unsigned burst,
	unsigned threads, int64_t end)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < threads; i++) {
		struct plan plan;

		plan_init(&plan, rate, arrivals, burst, i, threads, 1);
		for (int64_t due = plan_next(&plan), before = 0; due < end;
			due = plan_next(&plan)) {
			cr_assert_geq(due, before);
			before = due;
			count++;
		}
	}
	return count;
}

Test(plan, uniform_messages_are_evenly_apart_over_all_threads)
{
	struct plan_rate rate = rate_of("1k", 0, 10);
	struct plan plans[3];

	for (unsigned i = 0; i < 3; i++)
		plan_init(&plans[i], &rate, PLAN_UNIFORM, 0, i, 3, 1);
	for (int k = 0; k < 9999; k++)
		cr_assert_leq(
			llabs(plan_next(&plans[k % 3]) - k * SECOND / 1000), 1, "message %d", k);
}

Test(plan, a_plan_ends_with_its_duration)
{
	struct plan_rate rate = rate_of("1k", 1, 2);
	struct plan plan;

	cr_assert_eq(count_until(&rate, PLAN_UNIFORM, 0, 1, INT64_MAX), 3000);
	cr_assert_eq(count_until(&rate, PLAN_UNIFORM, 0, 4, INT64_MAX), 3000);
	plan_init(&plan, &rate, PLAN_UNIFORM, 0, 0, 1, 1);
	for (int i = 0; i < 3000; i++)
		cr_assert_lt(plan_next(&plan), 3 * SECOND);
	cr_assert_eq(plan_next(&plan), INT64_MAX);
	cr_assert_eq(plan_next(&plan), INT64_MAX);
}

Test(plan, every_shape_has_as_many_messages_as_its_rate_says_at_every_time)
{
	static const char *const shapes[] = {
		"1k", "100..2000", "2000..100", "100:1000/100@1s", "1000:300/250@500ms", "0..1000"};

	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		struct plan_rate rate = rate_of(shapes[i], i % 2, 10);

		for (double time = 0.5; time < 10; time += 1.7) {
			double due = plan_due(&rate, time), step = 1e-4;
			uint64_t count =
				count_until(&rate, PLAN_UNIFORM, 0, 3, (int64_t)(time * 1e9));

			cr_assert_float_eq((double)count, due, 1.01, "%s at %g: %lu, not %g",
				shapes[i], time, (unsigned long)count, due);
			/* The rate is the slope of what is due. */
			cr_assert_float_eq((plan_due(&rate, time + step) - due) / step,
				plan_rate_at(&rate, time + step / 2), 1, "%s at %g", shapes[i],
				time);
		}
	}
}

Test(plan, bursts_come_at_once_and_as_often_as_the_rate_says)
{
	struct plan_rate rate = rate_of("1k", 0, 10);
	struct plan plan;

	plan_init(&plan, &rate, PLAN_BURST, 50, 0, 1, 1);
	for (int burst = 0; burst < 100; burst++)
		for (int i = 0; i < 50; i++)
			cr_assert_leq(llabs(plan_next(&plan) - burst * 50 * SECOND / 1000), 1);
	cr_assert_eq(count_until(&rate, PLAN_BURST, 50, 4, INT64_MAX), 10000);
}

static int
order(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The greatest distance between the distribution of the gaps and the exponential one. */
static double
kolmogorov_smirnov(double *gaps, size_t count)
{
	double greatest = 0;

	qsort(gaps, count, sizeof *gaps, order);
	for (size_t i = 0; i < count; i++) {
		double expected = 1 - exp(-gaps[i]);

		greatest = fmax(greatest, fabs((double)(i + 1) / (double)count - expected));
		greatest = fmax(greatest, fabs((double)i / (double)count - expected));
	}
	return greatest;
}

Test(plan, gaps_of_poisson_arrivals_are_exponential)
{
	enum { COUNT = 50000, THREADS = 3 };
	static double times[THREADS * COUNT], gaps[COUNT];
	struct plan_rate rate = rate_of("1k", 0, 1e6);

	for (uint64_t seed = 1; seed <= 10; seed++) {
		size_t count = 0;

		/* The threads' arrivals together, as a server sees them. */
		for (unsigned i = 0; i < THREADS; i++) {
			struct plan plan;

			plan_init(&plan, &rate, PLAN_POISSON, 0, i, THREADS, seed);
			for (int k = 0; k < COUNT; k++)
				times[count++] = (double)plan_next(&plan) / 1e6;
		}
		qsort(times, count, sizeof times[0], order);
		for (int k = 0; k < COUNT; k++)
			gaps[k] = times[k + 1] - times[k];
		/* 1.95 / sqrt(n): a right distribution is farther off in one of a thousand
		 * samples. */
		cr_assert_lt(
			kolmogorov_smirnov(gaps, COUNT), 1.95 / sqrt(COUNT), "seed %d", (int)seed);
	}
}

Test(plan, the_test_of_exponential_gaps_finds_uniform_ones)
{
	static double gaps[1000];

	for (int i = 0; i < 1000; i++)
		gaps[i] = 1;
	cr_assert_gt(kolmogorov_smirnov(gaps, 1000), 1.95 / sqrt(1000));
}

Test(plan, the_same_seed_makes_the_same_plan)
{
	struct plan_rate rate = rate_of("1k", 0, 10);
	struct plan a, b, c;
	bool differs = false;

	plan_init(&a, &rate, PLAN_POISSON, 0, 0, 1, 5);
	plan_init(&b, &rate, PLAN_POISSON, 0, 0, 1, 5);
	plan_init(&c, &rate, PLAN_POISSON, 0, 0, 1, 6);
	for (int i = 0; i < 100; i++) {
		int64_t due = plan_next(&a);

		cr_assert_eq(due, plan_next(&b));
		differs = differs || due != plan_next(&c);
	}
	cr_assert(differs);
}

Test(plan, wrong_rates_are_refused_with_a_reason)
{
	static const char *const cases[] = {"", "fast", "-5", "0", "0..0", "10k..", "..10k",
		"1k:2k", "1k:2k/0@1s", "1k:2k/100@0", "1k:2k/100", "0:1k/100@1s", "2G", "1k..x"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct plan_rate rate = {0};

		cr_assert_not_null(plan_read_rate(cases[i], &rate), "'%s'", cases[i]);
	}
}

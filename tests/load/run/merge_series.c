/* The series of several results, as one: each interval gets the number of the interval of the
 * merged run in which it ended, by the wall clock; then those of one number become one. */
#include "tests/load/run/merge_series.h"

#include <math.h>
#include <stdlib.h>

double
merge_seconds_between(int64_t earlier, int64_t later)
{
	return (double)(later - earlier) / 1e6;
}

static int64_t
worse(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

void
merge_add_summary(struct summary *into, const struct summary *from)
{
	into->offered += from->offered;
	into->achieved += from->achieved;
	into->errors += from->errors;
	into->p50 = worse(into->p50, from->p50);
	into->p99 = worse(into->p99, from->p99);
	into->p99_9 = worse(into->p99_9, from->p99_9);
	into->max = worse(into->max, from->max);
}

/* An interval of a part, and its place in the merged series. */
struct placed {
	int64_t index;
	struct interval interval;
};

static int
order(const void *a, const void *b)
{
	const struct placed *one = a, *other = b;

	if (one->interval.run != other->interval.run)
		return one->interval.run < other->interval.run ? -1 : 1;
	return (one->index > other->index) - (one->index < other->index);
}

/* Places the intervals of a part. Its clock is ahead of that of the merged run by a whole number of
 * intervals, and a rest. */
static size_t
place(struct placed *placed, const struct result *result, const struct part *part)
{
	double length = (double)part->load.interval / 1e9;
	const struct interval *last = NULL;
	int64_t index = 0;

	for (size_t i = 0; i < part->result->series_count; i++) {
		const struct interval *each = &part->result->series[i];
		double ahead = merge_seconds_between(
			result->runs[each->run].began, part->result->runs[each->run].began);
		/* An interval that is a little late is still the one that it should be; the rest
		 * at the end of a run is longer than a quarter. */
		int64_t due = (int64_t)fmin(
			ceil(each->t / length - 0.25) + round(ahead / length), 0x1p52);

		index = last != NULL && last->run == each->run && index >= due ? index + 1 : due;
		last = each;
		placed[i] = (struct placed){index, *each};
		placed[i].interval.t += ahead;
	}
	return part->result->series_count;
}

static void
add_interval(struct interval *into, const struct interval *from)
{
	into->t = fmax(into->t, from->t);
	merge_add_summary(&into->summary, &from->summary);
	into->lag_p99 = worse(into->lag_p99, from->lag_p99);
	into->open += from->open;
	into->in_flight += from->in_flight;
}

bool
merge_series(struct result *result, const struct part *parts, unsigned count)
{
	struct placed *placed;
	size_t length = 0, used = 0;

	if (result->load->interval == 0)
		return true;
	for (unsigned i = 0; i < count; i++)
		length += parts[i].result->series_count;
	placed = calloc(length + 1, sizeof *placed);
	if (placed == NULL)
		return false;
	for (unsigned i = 0; i < count; i++)
		used += place(placed + used, result, &parts[i]);
	qsort(placed, used, sizeof *placed, order);
	for (size_t i = 0; i < used;) {
		struct interval joined = placed[i].interval;
		size_t from = i++;

		for (; i < used && order(&placed[from], &placed[i]) == 0; i++)
			add_interval(&joined, &placed[i].interval);
		result_add_interval(result, &joined);
	}
	free(placed);
	return true;
}

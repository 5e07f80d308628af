/* The shared mapping, and sums over its rows. Rows are read while their threads write: each counter
 * by itself, with relaxed loads, so a sum is of one moment only after the threads have ended.
 * Counters of a tally are treated as an array; those that are no sums (maxima, levels) are
 * corrected by hand after each loop over it. */
#include "tests/load/count/segment.h"

#include <string.h>
#include <sys/mman.h>

const char *const segment_call_names[SEGMENT_CALL_MAX] = {"connect", "read", "write"};

#define TALLY_COUNT (sizeof(struct tally) / sizeof(uint64_t))

static size_t
segment_size(unsigned rows)
{
	return sizeof(struct segment) + rows * sizeof(struct row);
}

struct segment *
segment_new(unsigned rows)
{
	struct segment *segment = mmap(NULL, segment_size(rows), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (segment == MAP_FAILED)
		return NULL;
	segment->rows = rows;
	segment->stop = INT64_MAX;
	return segment;
}

void
segment_free(struct segment *segment)
{
	if (segment != NULL)
		munmap(segment, segment_size(segment->rows));
}

static void
add_tally(struct tally *into, const struct tally *from)
{
	uint64_t *to = (uint64_t *)into, pause = into->pause_max;
	const uint64_t *each = (const uint64_t *)from;

	for (size_t i = 0; i < TALLY_COUNT; i++)
		to[i] += __atomic_load_n(&each[i], __ATOMIC_RELAXED);
	into->pause_max = from->pause_max > pause ? from->pause_max : pause;
}

void
measurement_take(struct measurement *measurement, const struct segment *segment)
{
	memset(measurement, 0, sizeof *measurement);
	for (unsigned i = 0; i < segment->rows; i++) {
		const struct row *row = &segment->row[i];

		add_tally(&measurement->tally, &row->tally);
		histogram_merge(&measurement->response, &row->response);
		histogram_merge(&measurement->service, &row->service);
		histogram_merge(&measurement->connect, &row->connect);
		histogram_merge(&measurement->lag, &row->lag);
	}
}

void
measurement_between(struct measurement *between, const struct measurement *later,
	const struct measurement *earlier)
{
	uint64_t *to = (uint64_t *)&between->tally;
	const uint64_t *end = (const uint64_t *)&later->tally,
		       *begin = (const uint64_t *)&earlier->tally;

	for (size_t i = 0; i < TALLY_COUNT; i++)
		to[i] = end[i] - begin[i];
	between->tally.alive = later->tally.alive;
	between->tally.in_flight = later->tally.in_flight;
	between->tally.in_flight_max = later->tally.in_flight_max;
	between->tally.pause_max = later->tally.pause_max;
	histogram_difference(&between->response, &later->response, &earlier->response);
	histogram_difference(&between->service, &later->service, &earlier->service);
	histogram_difference(&between->connect, &later->connect, &earlier->connect);
	histogram_difference(&between->lag, &later->lag, &earlier->lag);
	between->seconds = later->seconds - earlier->seconds;
}

void
measurement_add(struct measurement *into, const struct measurement *from)
{
	uint64_t most = into->tally.in_flight_max;

	add_tally(&into->tally, &from->tally);
	into->tally.in_flight_max =
		from->tally.in_flight_max > most ? from->tally.in_flight_max : most;
	histogram_merge(&into->response, &from->response);
	histogram_merge(&into->service, &from->service);
	histogram_merge(&into->connect, &from->connect);
	histogram_merge(&into->lag, &from->lag);
	into->seconds += from->seconds;
}

uint64_t
measurement_errors(const struct measurement *measurement)
{
	const struct tally *tally = &measurement->tally;
	uint64_t errors = tally->timeouts + tally->refused + tally->expired + tally->ends +
			  tally->unsent + tally->idle_dead;

	for (int call = 0; call < SEGMENT_CALL_MAX; call++)
		for (int error = 0; error < SEGMENT_ERRNO_MAX; error++)
			errors += tally->errors[call][error];
	return errors;
}

uint64_t
measurement_faults(const struct measurement *measurement)
{
	uint64_t faults = 0;

	for (int fault = 0; fault < MESSAGE_FAULT_MAX; fault++)
		faults += measurement->tally.faults[fault];
	return faults;
}

double
measurement_rate(const struct measurement *measurement)
{
	return measurement->seconds > 0 ? (double)measurement->tally.received / measurement->seconds
					: 0;
}

double
measurement_ratio(const struct measurement *measurement)
{
	/* The window also has replies to messages of the warm-up: a server that catches up has not
	 * answered more than was due. */
	if (measurement->tally.due <= measurement->tally.received)
		return 1;
	return (double)measurement->tally.received / (double)measurement->tally.due;
}

/* What counting costs a service, as it pays: by the public calls, in a hub whose numbers lie in a
 * segment of counters. */
#include <hubbub/busy.h>
#include <hubbub/hub.h>
#include <hubbub/metrics.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "worker/catalog.h"
#include "worker/counters.h"
#include "worker/service.h"
#include "worker/state.h"

enum { COUNTER, GAUGE, HISTOGRAM };

enum { TIMES = 10000000 };

static const struct hubbub_metric metrics[] = {
	[COUNTER] = {"bench_total", "Counted.", HUBBUB_COUNTER, HUBBUB_ONES, {NULL}},
	[GAUGE] = {"bench", "Added to.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	[HISTOGRAM] = {"bench_values", "Recorded.", HUBBUB_HISTOGRAM, HUBBUB_ONES, {NULL}},
	{.name = NULL},
};

static void *
count(void *unused)
{
	for (unsigned i = 0; i < TIMES; i++)
		hubbub_count(COUNTER, 1);
	return unused;
}

static void *
add(void *unused)
{
	for (unsigned i = 0; i < TIMES; i++)
		hubbub_gauge_add(GAUGE, 1);
	return unused;
}

/* Values of each size, one as likely as another. */
static void *
record(void *unused)
{
	for (uint64_t i = 0; i < TIMES; i++)
		hubbub_record(
			HISTOGRAM, (int64_t)(i * UINT64_C(0x9e3779b97f4a7c15) >> (24 + i % 32)));
	return unused;
}

static void *
serve_requests(void *unused)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	hub_adopt(ends[0]);
	for (unsigned i = 0; i < TIMES; i++) {
		hubbub_busy(ends[0]);
		hubbub_idle(ends[0]);
	}
	hub_close(ends[0]);
	close(ends[1]);
	return unused;
}

/* CPU time of this thread, in nanoseconds: what a competitor takes does not count. */
static int64_t
used(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * HUB_SECOND + time.tv_nsec;
}

/* Nanoseconds of one of the body's TIMES. */
static double
measure(hub_fn *body)
{
	static struct worker_thread thread;
	struct counters *counters;
	int64_t took;
	int file;

	catalog_add_service(metrics);
	counters = counters_new(&file);
	thread.row = counters_claim(counters, 0, 1, 1);
	service_use(&thread);
	took = used();
	hub_run(body, NULL, NULL);
	took = used() - took;
	service_use(NULL);
	counters_free(&counters);
	close(file);
	return (double)took / TIMES;
}

double
bench_count(void)
{
	return measure(count);
}

double
bench_gauge(void)
{
	return measure(add);
}

double
bench_record(void)
{
	return measure(record);
}

double
bench_request(void)
{
	return measure(serve_requests);
}

/* The runtime alone. Each round measures every row once, ours and peers in turn; the table has the
 * medians over the rounds. */
#include <hubbub/hub.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/bench/bench.h"
#include "tests/load/count/median.h"

#define ROUNDS 9
#define ROUNDS_MAX 101

/* ---- the bare switch, as fcontext's: two stacks, a value each way ---- */

struct pair {
	struct arch_context here;
	struct arch_context there;
};

static void *
bare_entry(void *value)
{
	struct pair *pair = value;

	for (;;)
		arch_switch(&pair->there, &pair->here, pair);
	return NULL;
}

static double
measure_switch_direct(void)
{
	enum { SWITCHES = 4000000 };
	struct hub_coroutine *stack = hub_new(bare_entry);
	struct pair pair;
	int64_t began;

	/* Its own first switch would go through hub_coroutine_main, which calls bare_entry. */
	pair.there = stack->context;
	arch_switch(&pair.here, &pair.there, &pair);
	began = hub_now();
	for (unsigned long i = 0; i < SWITCHES / 2; i++)
		arch_switch(&pair.here, &pair.there, &pair);
	began = hub_now() - began;
	hub_free(stack);
	return (double)began / SWITCHES;
}

/* ---- hub_switch, the public call, from two different places ---- */

static struct hub_coroutine *ping, *pong;

enum { CALLS = 2000000 };

static void *
ping_body(void *value)
{
	for (long i = 0; i < CALLS / 2; i++)
		hub_switch(pong, value);
	return NULL;
}

static void *
pong_body(void *value)
{
	for (;;)
		value = hub_switch(ping, value);
	return NULL;
}

static double
measure_switch_call(void)
{
	int64_t began;

	ping = hub_new(ping_body);
	pong = hub_new(pong_body);
	began = hub_now();
	hub_switch(ping, NULL);
	began = hub_now() - began;
	hub_free(ping);
	hub_free(pong);
	return (double)began / CALLS;
}

static void *
count_up(void *argument)
{
	for (intptr_t i = 0; i < (intptr_t)argument; i++)
		hub_yield((void *)i);
	return NULL;
}

static double
measure_generator(void)
{
	enum { ITEMS = 1000000 };
	struct hub_generator *generator = hub_generator_new(count_up, (void *)ITEMS);
	int64_t began = hub_now();
	void *value;

	while (hub_generator_next(generator, &value))
		continue;
	began = hub_now() - began;
	hub_generator_free(generator);
	return (double)began / ITEMS;
}

/* ---- through the scheduler ---- */

enum { YIELDS = 1000000 };

static void *
yielder(void *argument)
{
	for (long i = 0; i < YIELDS; i++)
		hub_sleep(0);
	return argument;
}

static void *
run_yield(void *result)
{
	struct hub_coroutine *one = hub_spawn(yielder, NULL), *other = hub_spawn(yielder, NULL);
	int64_t began = hub_now();

	hub_join(one, NULL);
	hub_join(other, NULL);
	*(double *)result = (double)(hub_now() - began) / (2. * YIELDS);
	return NULL;
}

static void *
nothing(void *argument)
{
	return argument;
}

static void *
run_spawn(void *result)
{
	enum { SPAWNS = 500000 };
	int64_t began = hub_now();

	for (long i = 0; i < SPAWNS; i++) {
		hub_detach(hub_spawn(nothing, NULL));
		hub_sleep(0);
	}
	*(double *)result = (double)(hub_now() - began) / SPAWNS;
	return NULL;
}

static void *
run_spawn_join(void *result)
{
	enum { SPAWNS = 500000 };
	int64_t began = hub_now();

	for (long i = 0; i < SPAWNS; i++)
		hub_join(hub_spawn(nothing, NULL), NULL);
	*(double *)result = (double)(hub_now() - began) / SPAWNS;
	return NULL;
}

/* ---- between two coroutines ---- */

enum { PASSES = 500000 };

static struct hub_queue *bench_queue;
static struct hub_channel bench_channel;

static void *
queue_consumer(void *argument)
{
	void *item;

	while (hub_queue_get(bench_queue, &item) == 0)
		continue;
	return argument;
}

static void *
run_queue(void *result)
{
	struct hub_coroutine *consumer;
	int64_t began;

	bench_queue = hub_queue_new(HUB_QUEUE_FIFO, 64);
	consumer = hub_spawn(queue_consumer, NULL);
	began = hub_now();
	for (long i = 0; i < PASSES; i++)
		hub_queue_put(bench_queue, result);
	hub_queue_close(bench_queue);
	hub_join(consumer, NULL);
	*(double *)result = (double)(hub_now() - began) / PASSES;
	hub_queue_free(bench_queue);
	return NULL;
}

static void *
channel_consumer(void *argument)
{
	void *item;

	while (hub_channel_get(&bench_channel, &item) == 0)
		continue;
	return argument;
}

static void *
run_channel(void *result)
{
	struct hub_coroutine *consumer;
	int64_t began;

	hub_channel_init(&bench_channel);
	consumer = hub_spawn(channel_consumer, NULL);
	began = hub_now();
	for (long i = 0; i < PASSES; i++)
		hub_channel_put(&bench_channel, result);
	hub_channel_close(&bench_channel);
	hub_join(consumer, NULL);
	*(double *)result = (double)(hub_now() - began) / PASSES;
	return NULL;
}

static double
measure_in_hub(hub_fn *body)
{
	double result = -1;

	hub_run(body, &result, NULL);
	return result;
}

static double
measure_yield(void)
{
	return measure_in_hub(run_yield);
}

static double
measure_spawn(void)
{
	return measure_in_hub(run_spawn);
}

static double
measure_spawn_join(void)
{
	return measure_in_hub(run_spawn_join);
}

static double
measure_queue(void)
{
	return measure_in_hub(run_queue);
}

static double
measure_channel(void)
{
	return measure_in_hub(run_channel);
}

static void *
run_timeout_scope(void *result)
{
	enum { SCOPES = 1000000 };
	int64_t began = hub_now();

	for (long i = 0; i < SCOPES; i++) {
		struct hub_timeout scope;

		hub_timeout_start(&scope, 10 * HUB_SECOND);
		hub_timeout_stop(&scope);
	}
	*(double *)result = (double)(hub_now() - began) / SCOPES;
	return NULL;
}

static double
measure_timeout_scope(void)
{
	return measure_in_hub(run_timeout_scope);
}

static void *
run_due(void *result)
{
	enum { CALLS_DUE = 10000000 };
	int64_t began = hub_now();

	for (long i = 0; i < CALLS_DUE; i++)
		hub_yield_due();
	*(double *)result = (double)(hub_now() - began) / CALLS_DUE;
	return NULL;
}

static double
measure_due(void)
{
	return measure_in_hub(run_due);
}

/* With the watchdog as it is for every program. */
static double
measure_yield_watched(void)
{
	double result;

	hub_watchdog(100 * HUB_MILLISECOND);
	result = measure_in_hub(run_yield);
	hub_watchdog(0);
	return result;
}

static double
measure_go_channel(void)
{
	return peer_go("channel");
}

static double
measure_go_spawn(void)
{
	return peer_go("spawn");
}

static double
measure_gevent_yield(void)
{
	return peer_gevent("yield");
}

static double
measure_gevent_spawn(void)
{
	return peer_gevent("spawn");
}

static double
measure_gevent_queue(void)
{
	return peer_gevent("queue");
}

static double
measure_gevent_timeout(void)
{
	return peer_gevent("timeout");
}

static double
measure_fcontext(void)
{
	return peer_fcontext_switch(4000000);
}

static double
measure_ucontext(void)
{
	return peer_ucontext_switch(400000);
}

/* ---- memory ---- */

/* Resident memory with its page tables, in bytes. */
static double
memory_used(void)
{
	FILE *stream = fopen("/proc/self/status", "re");
	char line[256];
	double total = 0, kilobytes;

	while (stream != NULL && fgets(line, sizeof line, stream) != NULL)
		if (sscanf(line, "VmRSS: %lf kB", &kilobytes) == 1 ||
			sscanf(line, "VmPTE: %lf kB", &kilobytes) == 1)
			total += kilobytes * 1024;
	if (stream != NULL)
		fclose(stream);
	return total;
}

static void *
sleep_long(void *duration)
{
	hub_sleep((int64_t)(intptr_t)duration);
	return NULL;
}

struct park {
	long count;
	int64_t duration; /* of their sleep */
	double bytes;     /* per coroutine, while all are parked */
	double seconds;   /* to spawn and park all */
};

static void *
run_park(void *argument)
{
	struct park *park = argument;
	double before = memory_used();
	int64_t began = hub_now();

	for (long i = 0; i < park->count; i++) {
		struct hub_coroutine *coroutine =
			hub_spawn(sleep_long, (void *)(intptr_t)park->duration);

		if (coroutine == NULL) {
			park->count = i;
			break;
		}
		hub_detach(coroutine);
	}
	hub_sleep(0);
	park->seconds = (double)(hub_now() - began) / 1e9;
	park->bytes = (memory_used() - before) / (double)park->count;
	return NULL;
}

int
bench_park(const struct bench_options *options)
{
	struct park sleepers = {.count = 1000000, .duration = 3600 * HUB_SECOND};
	struct park park = {.count = 1000000, .duration = HUB_FOREVER};

	hub_watchdog(0);
	hub_run(run_park, &sleepers, NULL);
	bench_print(options, "park_sleeping_bytes", sleepers.bytes, "B",
		"each of a million that sleep for an hour: the same, with its timer");
	hub_run(run_park, &park, NULL);
	bench_print(options, "park_coroutines", (double)park.count, "", "parked in one process");
	bench_print(
		options, "park_bytes", park.bytes, "B", "each: resident memory and page tables");
	bench_print(options, "park_spawn_ns", park.seconds * 1e9 / (double)park.count, "ns",
		"each: spawn and park, memory touched for the first time");
	return park.count == 1000000 ? 0 : 1;
}

static const struct {
	const char *name;
	double (*measure)(void);
	const char *note;
} rows[] = {
	{"switch_direct_ns", measure_switch_direct, "bare switch, inline"},
	{"switch_fcontext_ns", measure_fcontext, "peer: Boost jump_fcontext"},
	{"switch_ucontext_ns", measure_ucontext, "peer: C library swapcontext"},
	{"switch_call_ns", measure_switch_call, "hub_switch, from two places"},
	{"generator_ns", measure_generator, "one item: to the generator and back"},
	{"yield_ns", measure_yield, "hub_sleep(0), two coroutines, through the scheduler"},
	{"yield_watched_ns", measure_yield_watched, "the same, while the watchdog looks on"},
	{"gevent_yield_ns", measure_gevent_yield, "peer: gevent.sleep(0)"},
	{"yield_due_ns", measure_due, "hub_yield_due in a loop that nobody waits for"},
	{"spawn_finish_ns", measure_spawn, "spawn, run, finish; the spawner yields"},
	{"spawn_join_ns", measure_spawn_join, "spawn, run, finish, join"},
	{"go_spawn_ns", measure_go_spawn, "peer: go func() {}(), Gosched"},
	{"gevent_spawn_ns", measure_gevent_spawn, "peer: spawn and join"},
	{"queue_putget_ns", measure_queue, "put and get of one item, queue of 64"},
	{"gevent_queue_ns", measure_gevent_queue, "peer: the same"},
	{"channel_ns", measure_channel, "one rendezvous"},
	{"go_channel_ns", measure_go_channel, "peer: unbuffered channel, one thread"},
	{"timeout_scope_ns", measure_timeout_scope, "start and stop of 10 s"},
	{"gevent_timeout_ns", measure_gevent_timeout, "peer: with Timeout(10): pass"},
	{"count_ns", bench_count, "hubbub_count: a counter of the service's own"},
	{"gauge_ns", bench_gauge, "hubbub_gauge_add"},
	{"record_ns", bench_record, "hubbub_record: a histogram of the service's own"},
	{"request_ns", bench_request, "hubbub_busy, hubbub_idle: a request and its duration"},
	{"event_wake_1000_ns", bench_event_wake, "a set, until 1000 waiters are runnable"},
	{"event_run_1000_ns", bench_event_run, "the same, until each has run and waits again"},
	{"mailbox_p50_ns", bench_mailbox, "a coroutine of one hub wakes one of another"},
	{"eventfd_p50_ns", bench_eventfd, "peer: eventfd between two epoll threads"},
};

#define ROWS (sizeof rows / sizeof rows[0])

int
bench_hub(const struct bench_options *options)
{
	unsigned rounds = options->rounds != 0 ? options->rounds : ROUNDS;
	static double values[ROWS][ROUNDS_MAX], ratios[ROUNDS_MAX];
	struct park park = {.count = 100000, .duration = HUB_FOREVER};

	/* Here threads are kept busy on purpose. */
	hub_watchdog(0);
	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t i = 0; i < ROWS; i++)
			if (options->only == NULL || strstr(rows[i].name, options->only) != NULL)
				values[i][round] = rows[i].measure();
		ratios[round] = values[1][round] / values[0][round];
	}
	for (size_t i = 0; i < ROWS; i++) {
		double value = median(values[i], rounds);

		if (options->only != NULL && strstr(rows[i].name, options->only) == NULL)
			continue;
		if (value > 0)
			bench_print(options, rows[i].name, value, "ns", rows[i].note);
		else
			bench_say(options, "%-34s not installed: tests/bench/compare --install\n",
				rows[i].name);
	}
	if (options->only != NULL)
		return 0;
	if (median(values[1], rounds) > 0)
		bench_print(options, "switch_fcontext_ratio", median(ratios, rounds), "x",
			"median of fcontext / ours, round by round");
	hub_run(run_park, &park, NULL);
	bench_print(options, "parked_bytes", park.bytes, "B",
		"per parked coroutine: resident memory and page tables");
	return 0;
}

/* A generator thread's phases: opening, waiting for the start, loading, draining, probing, closing.
 * One coroutine goes through them in ticks: between two ticks it sleeps, and in each it publishes
 * usage, follows the parent's stop, and checks every connection. The row's state tells the parent
 * which phase has been reached. */
#include "tests/load/drive/generator.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/load/drive/connection.h"
#include "tests/load/drive/driver.h"
#include "tests/load/drive/idle.h"
#include "tests/load/drive/pacer.h"

#define TICK (10 * CLOCK_MILLISECOND) /* between two looks at all connections, while loading */
/* Time after the end in which a pacer that got no CPU may still hand out messages that were due
 * before. A pacer that cannot keep up would need longer. */
#define CATCH_UP (500 * CLOCK_MILLISECOND)

static void __attribute__((format(printf, 2, 3)))
give_up(struct driver *driver, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(driver->row->trouble, sizeof driver->row->trouble, format, arguments);
	va_end(arguments);
}

/* How many of a whole (connections, or idle connections) thread number index of count holds. */
static unsigned
share(unsigned whole, unsigned index, unsigned count)
{
	return whole / count + (index < whole % count);
}

static void
set_state(struct driver *driver, enum row_state state)
{
	__atomic_store_n(&driver->row->state, state, __ATOMIC_RELEASE);
}

/* ---- ticks ---- */

static void
note_usage(struct tally *tally)
{
	struct rusage usage;
	struct timespec cpu;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0)
		__atomic_store_n(&tally->cpu,
			(uint64_t)cpu.tv_sec * CLOCK_SECOND + (uint64_t)cpu.tv_nsec,
			__ATOMIC_RELAXED);
	if (getrusage(RUSAGE_THREAD, &usage) == 0)
		__atomic_store_n(&tally->switches, (uint64_t)usage.ru_nivcsw, __ATOMIC_RELAXED);
}

/* Sleeps for length nanoseconds, and checks everything once. Returns false if the run was cancelled
 * before its start. */
static bool
tick(struct driver *driver, int64_t length)
{
	struct tally *tally = &driver->row->tally;
	int64_t before = clock_now(), now, stop;

	if (hub_sleep(length) != 0)
		return false;
	now = clock_now();
	/* While the thread did not run it measured nothing: note the longest such time. */
	if (driver->start != 0 && now > driver->begin && before < driver->end &&
		now - before - length > (int64_t)tally->pause_max)
		tally->pause_max = (uint64_t)(now - before - length);
	note_usage(tally);
	if (tally->alive > 0)
		driver->last_alive = now;
	stop = __atomic_load_n(&driver->segment->stop, __ATOMIC_RELAXED);
	if (driver->start == 0)
		return stop == INT64_MAX;
	if (stop < driver->begin)
		driver->begin = driver->end = stop;
	else if (stop < driver->end)
		driver->end = stop;
	for (unsigned i = 0; i < driver->count; i++)
		connection_check(&driver->connections[i], now);
	return true;
}

/* ---- phases ---- */

static bool
open_connections(struct driver *driver)
{
	for (unsigned i = 0; i < driver->count; i++) {
		struct connection *connection = &driver->connections[i];
		unsigned index = i * driver->segment->rows + driver->index;

		*connection = (struct connection){.driver = driver,
			.index = index,
			.fd = -1,
			.is_slow = index < driver->load->slow};
		connection->coroutine = hub_spawn(connection_run, connection);
		if (connection->coroutine == NULL) {
			give_up(driver, "no memory for %u connections: %s", driver->count,
				strerror(errno));
			driver->count = i;
			return false;
		}
		hub_set_name(connection->coroutine, "connection");
	}
	if (!idle_open(driver)) {
		give_up(driver, "no memory for %u idle connections", driver->idle_count);
		return false;
	}
	while (driver->settled < driver->count || driver->idle_workers > 0)
		if (!tick(driver, CLOCK_MILLISECOND))
			return false;
	return true;
}

/* Waits until the start that the parent has set. Returns false if the run was cancelled. */
static bool
await_start(struct driver *driver)
{
	const struct load *load = driver->load;
	int64_t start;

	set_state(driver, ROW_READY);
	while ((start = __atomic_load_n(&driver->segment->start, __ATOMIC_ACQUIRE)) == 0)
		if (!tick(driver, CLOCK_MILLISECOND))
			return false;
	while (clock_now() < start - 2 * CLOCK_MILLISECOND)
		if (!tick(driver, CLOCK_MILLISECOND))
			return false;
	/* An open loop's pacer is exact; a closed loop would begin before the window does. */
	while (!load->is_open && clock_now() < start)
		hub_sleep(0);
	driver->begin = start + load->warmup;
	driver->end = clock_after(driver->begin, load->duration);
	driver->start = driver->last_alive = start;
	driver->left = load->count == 0
			       ? UINT64_MAX
			       : load->count / driver->segment->rows +
					 (driver->index < load->count % driver->segment->rows);
	return true;
}

static uint64_t
outstanding(const struct driver *driver)
{
	uint64_t messages = driver->row->tally.in_flight;

	for (unsigned i = 0; i < driver->count; i++)
		messages += driver->connections[i].due.count;
	return messages;
}

static bool
is_over(const struct driver *driver)
{
	if (clock_now() >= driver->end)
		return true;
	/* A count is never reached once no connection is left. */
	if (driver->load->count != 0 && driver->count > 0 &&
		clock_now() - driver->last_alive > clock_after(CLOCK_SECOND, driver->load->timeout))
		return true;
	if (driver->load->is_open)
		return driver->next_due == LOAD_NEVER;
	return driver->left == 0;
}

static void
count_unsent(struct driver *driver)
{
	uint64_t unsent = 0;

	for (unsigned i = 0; i < driver->count; i++)
		unsent += driver_count_due(driver, &driver->connections[i].due);
	if (driver->load->count != 0 && !driver_is_hurried(driver) && clock_now() < driver->end)
		unsent += driver->left;
	tally_add(&driver->row->tally.unsent, unsent);
}

static void
load_and_drain(struct driver *driver)
{
	struct tally *tally = &driver->row->tally;
	int64_t since;

	set_state(driver, ROW_RUNNING);
	if (!pacer_start(driver)) {
		give_up(driver, "the pacer cannot be started: %s", strerror(errno));
		return;
	}
	idle_watch(driver);
	while (!is_over(driver) && tick(driver, TICK))
		continue;
	/* An open loop's window ends as planned, though the plan's last message was due earlier. */
	while (driver->load->is_open && driver->left > 0 && clock_now() < driver->end &&
		tick(driver, TICK))
		continue;
	tally->alive_end = tally->alive;
	set_state(driver, ROW_DRAINING);
	since = clock_now();
	while (pacer_is_behind(driver) && !driver_is_hurried(driver) &&
		clock_now() < since + CATCH_UP && tick(driver, CLOCK_MILLISECOND))
		continue;
	while (outstanding(driver) > 0 && !driver_is_hurried(driver) &&
		clock_now() < clock_after(since, driver->load->timeout + 2 * TICK) &&
		tick(driver, CLOCK_MILLISECOND))
		continue;
	count_unsent(driver);
	/* With a count the window ends with the last reply; or, if not all were answered, when the
	 * last message had been handed out. */
	if (driver->load->count != 0 && driver->end == LOAD_NEVER)
		driver->end = !driver->load->is_open && outstanding(driver) == 0 &&
					      driver->answered > driver->begin
				      ? driver->answered + 1
				      : since;
	driver->row->ended = driver->end;
}

static void
close_all(struct driver *driver)
{
	driver->is_ending = true;
	driver->next_due = LOAD_NEVER;
	for (unsigned i = 0; i < driver->count; i++)
		hub_kill(driver->connections[i].coroutine);
	for (unsigned i = 0; i < driver->count; i++)
		hub_join(driver->connections[i].coroutine, NULL);
	for (unsigned i = 0; i < driver->idle_count && driver->idle != NULL; i++)
		if (driver->idle[i] >= 0)
			hub_close(driver->idle[i]);
}

static void *
drive(void *argument)
{
	struct driver *driver = argument;

	if (open_connections(driver) && await_start(driver)) {
		load_and_drain(driver);
		set_state(driver, ROW_PROBING);
		idle_probe(driver);
	}
	close_all(driver);
	return NULL;
}

void
generator_run(const struct load *load, struct segment *segment, unsigned index)
{
	struct driver driver = {.load = load,
		.segment = segment,
		.row = &segment->row[index],
		.index = index,
		.begin = LOAD_NEVER,
		.end = LOAD_NEVER,
		.next_due = LOAD_NEVER,
		.count = share(load->connections, index, segment->rows),
		.idle_count = share(load->idle, index, segment->rows),
		.next_ticket = index,
		.next_client = index,
		.random = random_seed(load->seed, 1000 + index)};

	flights_init(&driver.flights);
	driver.connections = malloc((driver.count + 1) * sizeof *driver.connections);
	driver.receive_buffer = malloc(DRIVER_BUFFER);
	driver.send_buffer = malloc(DRIVER_BUFFER);
	if (driver.connections == NULL || driver.receive_buffer == NULL ||
		driver.send_buffer == NULL)
		give_up(&driver, "no memory");
	else if (hub_run(drive, &driver, NULL) != 0)
		give_up(&driver, "a hub cannot be started: %s", strerror(errno));
	free(driver.connections);
	free(driver.receive_buffer);
	free(driver.send_buffer);
	free(driver.idle);
	flights_free(&driver.flights);
	set_state(&driver, ROW_DONE);
}

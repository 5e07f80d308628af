/* Hands out messages when the plan says that they are due, to the slots in turn. libev's timers are
 * exact to a millisecond, so the pacer waits for a timerfd that fires a little early, and spins for
 * the rest: a timer's wake-up takes 30 us and more on a virtual machine, which would be part of
 * every response time. */
#include "tests/load/drive/pacer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/load/drive/driver.h"
#include "tests/load/drive/sending.h"

#define BATCH 64 /* messages handed out at once, before replies get their turn */
/* Spinning begins an eighth of the gap between two messages before the due time, within these
 * bounds. */
#define EARLY_LEAST (50 * CLOCK_MICROSECOND)
#define EARLY_MOST (250 * CLOCK_MICROSECOND)

/* The next slot, in turn, that was opened at the start; NULL if none was. */
static struct connection *
next_connection(struct driver *driver)
{
	for (unsigned tries = 0; tries < driver->count; tries++) {
		struct connection *connection = &driver->connections[driver->turn];

		driver->turn = driver->turn + 1 < driver->count ? driver->turn + 1 : 0;
		if (connection->was_opened)
			return connection;
	}
	return NULL;
}

static void
hand_out(struct driver *driver, int64_t intended, int64_t now)
{
	struct connection *connection = next_connection(driver);
	struct tally *tally = &driver->row->tally;
	bool is_counted = driver_in_window(driver, intended);

	if (is_counted)
		tally_add(&tally->due, 1);
	if (connection == NULL) {
		tally_add(&tally->unsent, is_counted);
		return;
	}
	/* If the server delays the message, the delay is not the generator's lag. */
	if (is_counted && (connection_is_free(connection) || driver->load->churn == 0))
		histogram_record(&driver->row->lag, now - intended);
	if (driver->load->sheds &&
		connection->flying.count + connection->due.count >= driver->load->max_inflight) {
		tally_add(&tally->shed, is_counted);
		return;
	}
	connection_due(connection, intended, now);
}

static void
plan_another(struct driver *driver)
{
	int64_t next = driver->left > 0 ? plan_next(&driver->plan) : LOAD_NEVER;
	int64_t before = driver->next_due, early;

	driver->next_due = next == LOAD_NEVER || driver->start + next >= driver->end
				   ? LOAD_NEVER
				   : driver->start + next;
	if (driver->left > 0)
		driver->left--;
	if (driver->next_due == LOAD_NEVER)
		return;
	early = (driver->next_due - before) / 8;
	early = early < EARLY_LEAST ? EARLY_LEAST : early > EARLY_MOST ? EARLY_MOST : early;
	driver->spin_from = driver->next_due - early;
}

void
pacer_advance(struct driver *driver, int64_t now)
{
	for (int i = 0; i < BATCH && now >= driver->next_due; i++) {
		int64_t intended = driver->next_due;

		plan_another(driver);
		hand_out(driver, intended, now);
		now = clock_now();
	}
}

bool
pacer_is_behind(const struct driver *driver)
{
	return driver->next_due < driver->end && clock_now() >= driver->next_due;
}

static int
sleep_until_near(struct driver *driver, int timer)
{
	struct itimerspec when = {
		.it_value = {driver->spin_from / CLOCK_SECOND, driver->spin_from % CLOCK_SECOND}};
	uint64_t ticks;

	timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
	return hub_read(timer, &ticks, sizeof ticks) < 0 ? -1 : 0;
}

static void *
pace(void *argument)
{
	struct driver *driver = argument;
	int failed = 0;

	while (driver->next_due != LOAD_NEVER && failed == 0) {
		int64_t now = clock_now();

		if (now >= driver->next_due) {
			pacer_advance(driver, now);
			failed = hub_sleep(0);
		} else if (driver->load->spins || now >= driver->spin_from) {
			failed = hub_idle();
		} else {
			failed = sleep_until_near(driver, driver->timer);
		}
	}
	hub_close(driver->timer);
	return NULL;
}

bool
pacer_start(struct driver *driver)
{
	struct hub_coroutine *pacer;

	if (!driver->load->is_open) {
		for (unsigned i = 0; i < driver->count && driver->load->churn != 0; i++)
			if (driver->connections[i].fd != -1)
				connection_refill(&driver->connections[i], clock_now());
		return true;
	}
	plan_init(&driver->plan, &driver->load->rate, driver->load->arrivals, driver->load->burst,
		driver->index, driver->segment->rows, driver->load->seed);
	driver->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (driver->timer == -1)
		return false;
	driver->next_due = driver->start;
	plan_another(driver);
	pacer = hub_spawn(pace, driver);
	if (pacer == NULL) {
		close(driver->timer);
		return false;
	}
	hub_set_name(pacer, "pacer");
	hub_detach(pacer);
	return true;
}

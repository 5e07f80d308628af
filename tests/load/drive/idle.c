/* Idle connections are opened at the start, and used once at the end. Each needs a file descriptor
 * and no coroutine: a few workers, which are coroutines, open and probe them all, each taking the
 * next index. */
#include "tests/load/drive/idle.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/load/drive/dial.h"
#include "tests/load/drive/driver.h"
#include "tests/load/drive/exchange.h"
#include "tests/load/drive/message.h"
#include "tests/load/drive/receiving.h"

#define WORKERS 128       /* coroutines of a thread that open, or probe, at the same time */
#define PROBE_SIZE_MAX 64 /* bytes of a probe */

/* Starts as many workers as there is work for; idle_workers is the number that still work. Returns
 * false if none could be started. */
static bool
start_workers(struct driver *driver, hub_fn *work)
{
	driver->idle_next = 0;
	for (unsigned i = 0; i < WORKERS && i < driver->idle_count; i++) {
		struct hub_coroutine *worker = hub_spawn(work, driver);

		if (worker == NULL)
			return i > 0;
		hub_set_name(worker, "idle");
		hub_detach(worker);
		driver->idle_workers++;
	}
	return true;
}

static void *
open_some(void *argument)
{
	struct driver *driver = argument;

	for (unsigned i; (i = driver->idle_next++) < driver->idle_count;) {
		driver->idle[i] = dial(driver, driver->load->connections + i);
		tally_add(driver->idle[i] != -1 ? &driver->row->tally.idle_opened
						: &driver->row->tally.idle_failed,
			1);
	}
	driver->idle_workers--;
	return NULL;
}

bool
idle_open(struct driver *driver)
{
	if (driver->idle_count == 0)
		return true;
	driver->idle = malloc(driver->idle_count * sizeof *driver->idle);
	if (driver->idle == NULL)
		return false;
	for (unsigned i = 0; i < driver->idle_count; i++)
		driver->idle[i] = -1;
	return start_workers(driver, open_some);
}

/* Exchanges one message whose reply is no echo. Returns whether the reply is right. */
static bool
probe_otherwise(struct driver *driver, int fd, const struct message *message)
{
	struct answer_fault fault;
	enum answer answer = exchange_message(driver->load, fd, message, &fault);

	if (answer != ANSWER_GOES_ON)
		driver->idle_answered = clock_now();
	if (answer == ANSWER_WRONG)
		receiving_wrong(driver, message, &fault);
	if (answer == ANSWER_RIGHT)
		tally_add(&driver->row->tally.checked, 1);
	return answer == ANSWER_RIGHT;
}

/* Exchanges one message. Returns whether every byte of the reply is right. */
static bool
probe(struct driver *driver, unsigned index)
{
	char bytes[PROBE_SIZE_MAX];
	struct message message = message_probe(
		driver->load, driver_number(driver), driver_ticket(driver), sizeof bytes);
	struct hub_timeout scope;
	ssize_t received = -1;
	int fd = driver->idle[index];

	if (driver->load->reply.kind != REPLY_ECHO)
		return probe_otherwise(driver, fd, &message);
	message_write(&message, 0, bytes, message.length);
	hub_timeout_start(&scope, driver->load->timeout);
	if (hub_send(fd, bytes, message.length, 0) == (ssize_t)message.length)
		received = hub_recv(fd, bytes, message.length, MSG_WAITALL);
	hub_timeout_stop(&scope);
	if (received != (ssize_t)message.length)
		return false;
	driver->idle_answered = clock_now();
	return receiving_check(driver, &message, bytes);
}

static void *
probe_some(void *argument)
{
	struct driver *driver = argument;

	for (unsigned i; (i = driver->idle_next++) < driver->idle_count;) {
		/* If no probe was answered for the length of the timeout, the other connections
		 * count as dead without a probe each. */
		bool is_hopeless = driver_is_hurried(driver) ||
				   clock_now() - driver->idle_answered > driver->load->timeout;

		if (driver->idle[i] == -1)
			continue;
		tally_add(!is_hopeless && probe(driver, i) ? &driver->row->tally.idle_alive
							   : &driver->row->tally.idle_dead,
			1);
		hub_close(driver->idle[i]);
		driver->idle[i] = -1;
	}
	driver->idle_workers--;
	return NULL;
}

void
idle_probe(struct driver *driver)
{
	driver->idle_answered = clock_now();
	if (driver->idle_count == 0 || !start_workers(driver, probe_some))
		return;
	while (driver->idle_workers > 0 && hub_sleep(CLOCK_MILLISECOND) == 0)
		continue;
}

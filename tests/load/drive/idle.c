/* Idle connections are opened at the start, and used once at the end. Each needs a file descriptor
 * and no coroutine: a few workers, which are coroutines, open and probe them all, each taking the
 * next index. With --redial a few more look at them during the run. */
#include "tests/load/drive/idle.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/load/ask/random.h"
#include "tests/load/drive/dial.h"
#include "tests/load/drive/driver.h"
#include "tests/load/drive/exchange.h"
#include "tests/load/drive/message.h"
#include "tests/load/drive/receiving.h"

#define WORKERS 128       /* coroutines of a thread that open, or probe, at the same time */
#define PROBE_SIZE_MAX 64 /* bytes of a probe */
#define WATCH_TIME (2 * CLOCK_SECOND) /* between two looks at the same connection */
#define WATCH_BATCH 128u              /* connections looked at together */
#define EXCHANGE_TRIES 8              /* for a connection that is open */

/* In place of a file descriptor. */
#define IDLE_NONE (-1) /* not opened at the start, or being opened */
#define IDLE_LOST (-2) /* has ended, and could not be opened again */

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
		tally_add(driver->idle[i] != IDLE_NONE ? &driver->row->tally.idle_opened
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
		driver->idle[i] = IDLE_NONE;
	return start_workers(driver, open_some);
}

/* ---- connections that end meanwhile ---- */

static bool
has_ended(int fd)
{
	/* POLLIN would tell of a TLS server's session tickets, too. */
	struct pollfd look = {.fd = fd, .events = POLLRDHUP};

	return poll(&look, 1, 0) == 1;
}

static void
count_end(struct driver *driver, int fd)
{
	int error = 0;
	socklen_t length = sizeof error;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	tally_add(error > 0 && error < SEGMENT_ERRNO_MAX
			  ? &driver->row->tally.errors[SEGMENT_READ][error]
			  : &driver->row->tally.ends,
		1);
}

/* Opens an idle connection that has ended again; if it cannot, it is LOST, for another try. */
static void
redial(struct driver *driver, unsigned index)
{
	int fd = driver->idle[index];

	driver->idle[index] = IDLE_NONE; /* nobody else takes it while this switches */
	if (fd != IDLE_LOST) {
		count_end(driver, fd);
		hub_close(fd);
	}
	fd = dial(driver, driver->load->connections + index);
	driver->idle[index] = fd != -1 ? fd : IDLE_LOST;
	tally_add(&driver->row->tally.idle_reconnects, fd != -1);
}

/* Looks at the next batch of connections, and opens those again that have ended. */
static void
look_at_batch(struct driver *driver)
{
	struct pollfd looks[WATCH_BATCH];
	unsigned first = driver->idle_next, count = driver->idle_count - first;

	if (count > WATCH_BATCH)
		count = WATCH_BATCH;
	driver->idle_next = (first + count) % driver->idle_count;
	for (unsigned i = 0; i < count; i++)
		looks[i] = (struct pollfd){.fd = driver->idle[first + i], .events = POLLRDHUP};
	if (poll(looks, count, 0) < 0)
		return;
	/* Meanwhile the connection may be another one: the first look was for all, at once. */
	for (unsigned i = 0; i < count; i++) {
		int fd = driver->idle[first + i];

		if (fd == IDLE_LOST || (fd == looks[i].fd && looks[i].revents != 0))
			redial(driver, first + i);
	}
}

static void *
watch(void *argument)
{
	struct driver *driver = argument;
	int64_t batches = (driver->idle_count + WATCH_BATCH - 1) / WATCH_BATCH;

	do
		look_at_batch(driver);
	while (hub_sleep(WATCH_TIME * driver->watcher_count / batches) == 0);
	return NULL;
}

void
idle_watch(struct driver *driver)
{
	driver->idle_next = 0;
	while (driver->load->redials && driver->watcher_count < DRIVER_WATCHERS &&
		driver->watcher_count * WATCH_BATCH < driver->idle_count) {
		struct hub_coroutine *watcher = hub_spawn(watch, driver);

		if (watcher == NULL)
			return;
		hub_set_name(watcher, "watcher");
		driver->watchers[driver->watcher_count++] = watcher;
	}
}

static void
end_watching(struct driver *driver)
{
	for (unsigned i = 0; i < driver->watcher_count; i++)
		hub_kill(driver->watchers[i]);
	for (unsigned i = 0; i < driver->watcher_count; i++)
		hub_join(driver->watchers[i], NULL);
	driver->watcher_count = 0;
}

int
idle_exchange(struct driver *driver, int fd)
{
	for (int tries = 0; tries < EXCHANGE_TRIES && !driver->is_probing; tries++) {
		int *idle = &driver->idle[(
			    unsigned)(random_unit(&driver->random) * driver->idle_count)],
		    other = *idle;

		if (other >= 0 && !has_ended(other)) {
			*idle = fd;
			return other;
		}
	}
	return fd;
}

/* ---- the end ---- */

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

		if (driver->idle[i] == IDLE_NONE)
			continue;
		if (driver->load->redials && !is_hopeless &&
			(driver->idle[i] == IDLE_LOST || has_ended(driver->idle[i])))
			redial(driver, i);
		tally_add(!is_hopeless && driver->idle[i] >= 0 && probe(driver, i)
				  ? &driver->row->tally.idle_alive
				  : &driver->row->tally.idle_dead,
			1);
		if (driver->idle[i] >= 0)
			hub_close(driver->idle[i]);
		driver->idle[i] = IDLE_NONE;
	}
	driver->idle_workers--;
	return NULL;
}

void
idle_probe(struct driver *driver)
{
	end_watching(driver);
	driver->is_probing = true;
	driver->idle_answered = clock_now();
	if (driver->idle_count == 0 || !start_workers(driver, probe_some))
		return;
	while (driver->idle_workers > 0 && hub_sleep(CLOCK_MILLISECOND) == 0)
		continue;
}

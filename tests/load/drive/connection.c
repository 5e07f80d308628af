/* The coroutine of a slot: it opens a connection, converses, closes, and opens the next one as long
 * as the run goes on. It alone receives and closes; to end a connection others set `end` and call
 * hub_end_input, which makes its receive return. So no fd is closed while it is in use. */
#include "tests/load/drive/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/load/drive/datagrams.h"
#include "tests/load/drive/dial.h"
#include "tests/load/drive/driver.h"
#include "tests/load/drive/idle.h"
#include "tests/load/drive/pacer.h"
#include "tests/load/drive/receiving.h"
#include "tests/load/drive/sending.h"

#define BACKOFF_FIRST (10 * CLOCK_MILLISECOND)
#define BACKOFF_MAX CLOCK_SECOND
#define HALF_CLOSE_MAX CLOCK_SECOND /* time for the peer to close in turn */
#define SLOW_PIECES 100             /* reads a second of a slow reader */

/* ---- open ---- */

static void
settle(struct connection *connection, bool was_opened)
{
	struct driver *driver = connection->driver;

	connection->was_opened = was_opened;
	driver->settled++;
	tally_add(was_opened ? &driver->row->tally.opened : &driver->row->tally.failed, 1);
}

static void
set_alive(struct connection *connection, bool is_alive)
{
	if (connection->is_alive != is_alive)
		tally_add(&connection->driver->row->tally.alive, is_alive ? 1 : (uint64_t)-1);
	connection->is_alive = is_alive;
}

static void
begin(struct connection *connection, int fd)
{
	struct driver *driver = connection->driver;

	connection->fd = fd;
	connection->number = driver_number(driver);
	connection->next_sent = connection->next_reply = 0;
	connection->given_up = connection->given_up_older = 0;
	connection->sent_offset = connection->reply_offset = 0;
	connection->quota = driver_quota(driver);
	connection->is_blocked = false;
	connection->end = END_NONE;
	connection->opened = connection->last_received = clock_now();
	set_alive(connection, true);
	if (!driver->load->is_open)
		connection_refill(connection, connection->opened);
	else
		connection_send(connection, connection->opened);
}

/* ---- converse ---- */

/* Whether the connection may begin no more messages, and all are answered. */
static bool
is_used_up(struct connection *connection, int64_t now)
{
	const struct load *load = connection->driver->load;

	if (load->lifetime != LOAD_NEVER && now - connection->opened >= load->lifetime)
		connection->quota = 0;
	return connection->quota <= 0 && connection->flying.count == 0;
}

/* How many bytes to receive at once: a slow reader takes its share of a hundredth of a second, and
 * leaves the rest in the kernel. */
static size_t
room_for(const struct connection *connection)
{
	double piece = connection->driver->load->slow_rate / SLOW_PIECES;

	if (!connection->is_slow || piece >= (double)DRIVER_BUFFER)
		return DRIVER_BUFFER;
	return piece < 1 ? 1 : (size_t)piece;
}

static int
rest_a_while(const struct connection *connection)
{
	double piece = connection->driver->load->slow_rate / SLOW_PIECES;

	return hub_sleep((int64_t)(piece < 1 ? 1e9 / connection->driver->load->slow_rate
					     : 1e9 / SLOW_PIECES));
}

/* Ends sending, and waits for the peer to end, too; no byte may come before that. Returns 0 if it
 * did, the number of bytes that came into the receive buffer, or -1 with errno; ETIMEDOUT after
 * HALF_CLOSE_MAX. Switches. */
static ssize_t
end_sending(struct connection *connection)
{
	struct hub_timeout scope;
	ssize_t received;

	hub_timeout_start(&scope, HALF_CLOSE_MAX);
	hub_shutdown(connection->fd, SHUT_WR);
	received = hub_recv(connection->fd, connection->driver->receive_buffer, DRIVER_BUFFER, 0);
	hub_timeout_stop(&scope);
	return received;
}

/* A late reply may be on its way, or never be complete. When this end stops sending, an echo server
 * that has sent all it will send closes: then a reply that has begun is truncated, not late. */
static void
count_late(struct connection *connection)
{
	if (connection->reply_offset > 0 && connection->driver->load->reply.kind == REPLY_ECHO &&
		hub_adopt(connection->fd) == 0 && end_sending(connection) == 0)
		receiving_cut_short(connection);
	else
		tally_add(&connection->driver->row->tally.timeouts, 1);
	connection->end = END_BROKEN;
}

/* Counts the end of a connection, by the peer, by the kernel (error), or by hub_end_input. */
static void
count_end(struct connection *connection, int error)
{
	struct driver *driver = connection->driver;

	if (connection->end == END_LATE)
		count_late(connection);
	if (connection->end != END_NONE || (error == 0 && receiving_end(connection)))
		return;
	connection->end = END_BROKEN;
	if (error > 0 && error != ECANCELED && error < SEGMENT_ERRNO_MAX)
		tally_add(&driver->row->tally.errors[SEGMENT_READ][error], 1);
	else if (error == 0 && !driver->is_ending)
		tally_add(&driver->row->tally.ends, 1);
}

/* The clock when the last received byte came to this machine, by the kernel's timestamp, which is
 * of the wall clock; now, if there is none. */
static int64_t
arrival(struct msghdr *message, int64_t now)
{
	struct timespec wall, stamp;
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	int64_t ago;

	while (part != NULL &&
		(part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPING))
		part = CMSG_NXTHDR(message, part);
	if (part == NULL)
		return now;
	memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
	clock_gettime(CLOCK_REALTIME, &wall);
	ago = (wall.tv_sec - stamp.tv_sec) * CLOCK_SECOND + wall.tv_nsec - stamp.tv_nsec;
	/* The wall clock may have been set between the timestamp and this call. */
	return stamp.tv_sec != 0 && ago >= 0 && ago < CLOCK_SECOND ? now - ago : now;
}

/* Receives. *now becomes the clock of the receive, *arrived that of the arrival; without
 * --kernel-ts the two are the same. */
static ssize_t
receive(struct connection *connection, int64_t *now, int64_t *arrived)
{
	struct driver *driver = connection->driver;
	char control[128];
	struct iovec part = {driver->receive_buffer, room_for(connection)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	ssize_t received;

	if (!driver->load->kernel_times) {
		received = hub_recv(connection->fd, part.iov_base, part.iov_len, 0);
		*arrived = *now = clock_now();
		return received;
	}
	received = hub_recvmsg(connection->fd, &message, 0);
	*now = clock_now();
	*arrived = received > 0 ? arrival(&message, *now) : *now;
	return received;
}

/* Receives, checks and refills until the connection ends, for any reason. */
static void
converse(struct connection *connection)
{
	struct driver *driver = connection->driver;

	while (connection->end == END_NONE) {
		int64_t now, arrived;
		ssize_t received = receive(connection, &now, &arrived);

		/* An empty datagram is no end. */
		if (received < 0 || (received == 0 && (!driver->load->is_datagrams ||
							      connection->end != END_NONE))) {
			count_end(connection, received < 0 ? errno : 0);
			return;
		}
		connection->last_received = now;
		if (driver->load->is_datagrams)
			datagrams_take(
				connection, driver->receive_buffer, (size_t)received, arrived);
		else if (!receiving_take(
				 connection, driver->receive_buffer, (size_t)received, arrived))
			return;
		if (is_used_up(connection, now) && driver->load->roam == 0) {
			connection->end = END_ORDERLY;
			return;
		}
		if (is_used_up(connection, now))
			begin(connection, idle_exchange(driver, connection->fd));
		else if (!driver->load->is_open)
			connection_refill(connection, now);
		else if (connection->due.count > 0)
			connection_send(connection, now);
		pacer_advance(driver, now);
		if (connection->is_slow && rest_a_while(connection) != 0)
			return;
	}
	/* Bytes that arrived before the end that was decided on have all been received. */
	count_end(connection, 0);
}

/* ---- close ---- */

static void
close_by_reset(int fd)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	hub_close(fd);
}

static void
close_half(struct connection *connection)
{
	struct driver *driver = connection->driver;
	ssize_t received = end_sending(connection);

	if (received > 0)
		receiving_take(connection, driver->receive_buffer, (size_t)received, clock_now());
	else if (received < 0 && errno == ETIMEDOUT)
		tally_add(&driver->row->tally.timeouts, 1);
	hub_close(connection->fd);
}

static void
finish(struct connection *connection)
{
	struct driver *driver = connection->driver;
	struct tally *tally = &driver->row->tally;
	int fd = connection->fd;

	if (driver->load->close == LOAD_CLOSE_RST)
		close_by_reset(fd);
	else if (driver->load->close == LOAD_CLOSE_HALF && connection->end == END_ORDERLY &&
		 !driver->load->is_datagrams)
		close_half(connection);
	else
		hub_close(fd);
	connection->fd = -1;
	if (connection->end != END_ORDERLY)
		set_alive(connection, false);
	/* Replies that the drain has given up. */
	if (driver->is_ending && connection->flying.count > 0 && !driver_is_hurried(driver))
		tally_add(&tally->timeouts, 1);
	tally_add(&tally->lost, driver_count_due(driver, &connection->flying));
	tally_add(&tally->in_flight, -(uint64_t)connection->flying.count);
	flights_clear(&driver->flights, &connection->flying);
	connection->sent_offset = connection->reply_offset = 0;
}

/* ---- lives ---- */

/* One connection after the other, with many messages on each. */
static void
live(struct connection *connection)
{
	struct driver *driver = connection->driver;
	int64_t backoff = 0;

	while (!driver->is_ending) {
		int fd = dial(driver, connection->index);
		bool is_first = connection->number == 0;

		if (fd == -1 && is_first) {
			settle(connection, false);
			return;
		}
		if (fd != -1) {
			if (is_first)
				settle(connection, true);
			else
				tally_add(&driver->row->tally.reconnects, 1);
			begin(connection, fd);
			converse(connection);
			if (connection->next_reply > 0)
				backoff = 0;
			finish(connection);
		}
		if (fd == -1)
			set_alive(connection, false);
		/* Do not hammer a server that is down. */
		if (fd == -1 || (connection->end == END_BROKEN && connection->next_reply == 0)) {
			backoff = backoff == 0 ? BACKOFF_FIRST : 2 * backoff;
			if (backoff > BACKOFF_MAX)
				backoff = BACKOFF_MAX;
			if (hub_sleep(backoff) != 0)
				return;
		}
	}
}

/* With --churn=0: waits until the next connect is due; *intended becomes that moment. Returns false
 * when none will be due. */
static bool
await_due(struct connection *connection, int64_t *intended)
{
	struct driver *driver = connection->driver;

	if (!driver->load->is_open) {
		*intended = clock_now();
		if (*intended >= driver->end || driver->left == 0)
			return hub_sleep(HUB_FOREVER) == 0;
		driver->left--;
		if (driver_in_window(driver, *intended))
			tally_add(&driver->row->tally.due, 1);
		return true;
	}
	while (connection->due.count == 0) {
		hub_event_clear(&connection->wakes);
		if (hub_event_wait(&connection->wakes) != 0)
			return false;
	}
	*intended = driver->flights.items[connection->due.first].intended;
	flights_pop(&driver->flights, &connection->due);
	return true;
}

/* With --churn=0: opens and closes a connection for each message, which consists of the
 * handshake. */
static void
knock(struct connection *connection)
{
	struct driver *driver = connection->driver;
	struct row *row = driver->row;
	int64_t intended;
	int fd;

	fd = dial(driver, connection->index);
	settle(connection, fd != -1);
	if (fd == -1)
		return;
	hub_close(fd);
	set_alive(connection, true);
	while (driver->start == 0)
		if (hub_sleep(CLOCK_MILLISECOND) != 0)
			return;
	while (await_due(connection, &intended)) {
		int64_t began = clock_now(), now;

		tally_add(&row->tally.in_flight, 1);
		if (row->tally.in_flight > row->tally.in_flight_max)
			tally_add(&row->tally.in_flight_max, 1);
		fd = dial(driver, connection->index);
		now = clock_now();
		tally_add(&row->tally.in_flight, (uint64_t)-1);
		if (fd == -1) {
			if (driver_in_window(driver, intended))
				tally_add(&row->tally.lost, 1);
			if (hub_sleep(BACKOFF_FIRST) != 0)
				return;
			continue;
		}
		if (driver_in_window(driver, intended)) {
			histogram_record(&row->response, now - intended);
			histogram_record(&row->service, now - began);
		}
		if (driver_in_window(driver, now))
			tally_add(&row->tally.received, 1);
		driver->answered = now;
		if (driver->load->close == LOAD_CLOSE_RST)
			close_by_reset(fd);
		else
			hub_close(fd);
		pacer_advance(driver, now);
	}
}

void *
connection_run(void *argument)
{
	struct connection *connection = argument;

	if (connection->driver->load->churn == 0)
		knock(connection);
	else
		live(connection);
	set_alive(connection, false);
	return NULL;
}

/* ---- looking after ---- */

void
connection_check(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;
	const struct flight *oldest;

	if (connection->fd == -1 || connection->end != END_NONE)
		return;
	if (connection->is_blocked && !connection->has_writer) {
		connection->is_blocked = false;
		connection_send(connection, now);
	}
	if (is_used_up(connection, now)) {
		/* No message is unanswered: the connection's own coroutine closes it gracefully. */
		connection->end = END_ORDERLY;
		hub_end_input(connection->fd);
		return;
	}
	if (driver->load->is_datagrams) {
		datagrams_check(connection, now);
		return;
	}
	if (connection->flying.count == 0)
		return;
	oldest = &driver->flights.items[connection->flying.first];
	/* Replies to a slow reader are late by its own doing, as long as any bytes come. */
	if (now - (connection->is_slow && connection->last_received > oldest->sent
				  ? connection->last_received
				  : oldest->sent) <
		driver->load->timeout)
		return;
	connection->end = END_LATE;
	hub_end_input(connection->fd);
}

/* From due to the wire. Nothing here switches, so any coroutine may send on any connection: bytes
 * that the socket does not take are sent by a coroutine of their own (write_on). Messages stay in
 * the order in which they became due, and `flying` holds exactly those of which a byte was sent. */
#include "tests/load/drive/sending.h"

#include <errno.h>
#include <poll.h>

#include "tests/load/drive/driver.h"
#include "tests/load/drive/message.h"

#define SEND_MAX ((size_t)64 * 1024) /* bytes at once; a socket seldom takes more */

static struct flight *
first(struct connection *connection, const struct fifo *fifo)
{
	return &connection->driver->flights.items[fifo->first];
}

/* Messages of one connection that may be in flight. */
static int64_t
in_flight_limit(const struct driver *driver)
{
	return driver->load->is_open ? driver->load->max_inflight : driver->load->depth;
}

bool
connection_is_free(const struct connection *connection)
{
	return connection->fd != -1 && !connection->is_blocked && connection->due.count == 0 &&
	       connection->flying.count < in_flight_limit(connection->driver) &&
	       connection->quota > 0;
}

/* Drops messages whose deadline has passed before a byte of them was sent. */
static void
drop_expired(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;

	if (driver->load->deadline == LOAD_NEVER)
		return;
	while (connection->due.count > 0 &&
		now - first(connection, &connection->due)->intended > driver->load->deadline) {
		if (driver_in_window(driver, first(connection, &connection->due)->intended))
			tally_add(&driver->row->tally.expired, 1);
		flights_pop(&driver->flights, &connection->due);
	}
}

/* Fills the send buffer with what may be sent now: the rest of a message that is begun, then
 * further due messages. Returns the number of bytes. */
static size_t
fill(struct connection *connection)
{
	struct driver *driver = connection->driver;
	const struct flight *items = driver->flights.items;
	struct message message = {connection->number, connection->next_sent, 0, 0};
	size_t used = 0, part;
	uint32_t index = connection->due.first;
	int64_t allowed = in_flight_limit(driver) - connection->flying.count;

	if (connection->sent_offset > 0) {
		message.length = items[connection->flying.last].length;
		message.ticket = items[connection->flying.last].ticket;
		used = message.length - connection->sent_offset;
		if (used > SEND_MAX)
			used = SEND_MAX;
		message_write(
			&message, connection->sent_offset, driver->send_buffer, (uint32_t)used);
		if (connection->sent_offset + used < message.length)
			return used;
		message.sequence++;
	}
	if (allowed > connection->quota)
		allowed = connection->quota;
	if (allowed > connection->due.count)
		allowed = connection->due.count;
	/* A send makes one datagram, which is one message. */
	if (allowed > 1 && driver->load->is_datagrams)
		allowed = 1;
	for (; allowed > 0 && used < SEND_MAX; allowed--) {
		message.length = items[index].length;
		message.ticket = items[index].ticket;
		part = message.length < SEND_MAX - used ? message.length : SEND_MAX - used;
		message_write(&message, 0, driver->send_buffer + used, (uint32_t)part);
		used += part;
		message.sequence++;
		index = items[index].next;
	}
	return used;
}

static void
begin_message(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;
	struct tally *tally = &driver->row->tally;

	first(connection, &connection->due)->sent = now;
	flights_move(&driver->flights, &connection->due, &connection->flying);
	connection->quota--;
	tally_add(&tally->in_flight, 1);
	if (tally->in_flight > tally->in_flight_max)
		tally_add(&tally->in_flight_max, 1);
}

/* Notes that the kernel took that many of the bytes that fill wrote. */
static void
advance(struct connection *connection, size_t sent, int64_t now)
{
	struct driver *driver = connection->driver;

	if (driver_in_window(driver, now))
		tally_add(&driver->row->tally.bytes_sent, sent);
	while (sent > 0) {
		uint32_t rest;

		if (connection->sent_offset == 0)
			begin_message(connection, now);
		rest = driver->flights.items[connection->flying.last].length -
		       connection->sent_offset;
		if (sent < rest) {
			connection->sent_offset += (uint32_t)sent;
			return;
		}
		sent -= rest;
		connection->sent_offset = 0;
		connection->next_sent++;
	}
}

/* A writer coroutine: waits until the socket takes more bytes, and sends, until all are sent. The
 * connection may be closed and another one opened meanwhile. */
static void *
write_on(void *argument)
{
	struct connection *connection = argument;

	while (connection->fd != -1 && connection->is_blocked) {
		if (hub_wait_fd(connection->fd, POLLOUT) < 0 && errno != ECANCELED)
			break;
		connection->is_blocked = false;
		connection_send(connection, clock_now());
	}
	connection->has_writer = false;
	return NULL;
}

static void
wait_for_room(struct connection *connection)
{
	struct hub_coroutine *writer;

	connection->is_blocked = true;
	if (connection->has_writer)
		return;
	/* If there is no memory for the writer, connection_check tries again. */
	writer = hub_spawn(write_on, connection);
	if (writer == NULL)
		return;
	connection->has_writer = true;
	hub_detach(writer);
}

void
connection_send(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;

	drop_expired(connection, now);
	while (connection->fd != -1 && !connection->is_blocked && connection->end == END_NONE) {
		size_t length = fill(connection);
		ssize_t sent;

		if (length == 0)
			return;
		sent = hub_send(connection->fd, driver->send_buffer, length, MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN) {
			if (!driver->is_ending && errno < SEGMENT_ERRNO_MAX)
				tally_add(&driver->row->tally.errors[SEGMENT_WRITE][errno], 1);
			connection->end = END_BROKEN;
			hub_end_input(connection->fd);
			return;
		}
		if (sent < 0)
			sent = 0;
		advance(connection, (size_t)sent, now);
		if ((size_t)sent < length)
			wait_for_room(connection);
	}
}

/* Appends a request that was due at intended. Returns false if there is no memory for it. */
static bool
append_request(struct connection *connection, int64_t intended)
{
	struct driver *driver = connection->driver;
	uint64_t ticket = driver_ticket(driver);
	const struct request *request = requests_choose(driver->load->requests, ticket);

	if (!flights_push(&driver->flights, &connection->due, intended,
		    template_length(&request->request.template, ticket)))
		return false;
	driver->flights.items[connection->due.last].ticket = ticket;
	return true;
}

/* The same, or a message for an echo. */
static inline bool
append_due(struct connection *connection, int64_t intended)
{
	struct driver *driver = connection->driver;

	if (driver->load->requests->count > 0)
		return append_request(connection, intended);
	return flights_push(&driver->flights, &connection->due, intended,
		sizes_draw(&driver->load->sizes, &driver->random));
}

void
connection_due(struct connection *connection, int64_t intended, int64_t now)
{
	struct driver *driver = connection->driver;

	if (!append_due(connection, intended))
		tally_add(&driver->row->tally.unsent, driver_in_window(driver, intended));
	else if (driver->load->churn == 0)
		hub_event_set(&connection->wakes);
	else
		connection_send(connection, now);
}

void
connection_refill(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;
	int64_t room =
		(int64_t)driver->load->depth - connection->flying.count - connection->due.count;

	if (driver->start == 0 || now >= driver->end)
		room = 0;
	if (room > connection->quota - connection->due.count)
		room = connection->quota - connection->due.count;
	for (; room > 0 && driver->left > 0; room--) {
		if (!append_due(connection, now))
			break;
		driver->left--;
		if (driver_in_window(driver, now))
			tally_add(&driver->row->tally.due, 1);
	}
	connection_send(connection, now);
}

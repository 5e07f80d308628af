/* Replies of a server of datagrams: each comes whole or not at all, in any order. A message that
 * another one's reply overtook is still waited for; a flight whose length is 0 is answered, and
 * goes when those before it have gone. */
#include "tests/load/datagrams.h"

#include "tests/load/driver.h"
#include "tests/load/receiving.h"
#include "tests/load/sending.h"

static struct flight *
first_of(struct connection *connection)
{
	return &connection->driver->flights.items[connection->flying.first];
}

static void
pop_first(struct connection *connection)
{
	struct driver *driver = connection->driver;

	tally_add(&driver->row->tally.in_flight, (uint64_t)-1);
	flights_pop(&driver->flights, &connection->flying);
	connection->next_reply++;
}

static void
pop_answered(struct connection *connection)
{
	while (connection->flying.count > 0 && first_of(connection)->length == 0)
		pop_first(connection);
}

/* The flight of that message, if it is under way and not answered. */
static struct flight *
find(struct connection *connection, uint64_t sequence)
{
	struct flight *items = connection->driver->flights.items;
	uint32_t index = connection->flying.first;

	if (sequence < connection->next_reply ||
		sequence - connection->next_reply >= connection->flying.count)
		return NULL;
	for (uint64_t at = connection->next_reply; at < sequence; at++)
		index = items[index].next;
	return items[index].length > 0 ? &items[index] : NULL;
}

void
datagrams_take(struct connection *connection, const char *bytes, size_t length, int64_t now)
{
	struct driver *driver = connection->driver;
	struct message head = {.sequence = connection->next_reply};
	bool is_own =
		message_read_head(bytes, length, &head) && head.connection == connection->number;
	struct flight *flight;

	if (driver_in_window(driver, now))
		tally_add(&driver->row->tally.bytes_received, length);
	/* One whose place cannot be read is compared with the first that is awaited. */
	if (!is_own)
		head.sequence = connection->next_reply;
	flight = find(connection, head.sequence);
	if (flight != NULL) {
		receiving_take_whole(connection, head.sequence, flight, bytes, length, now);
		/* A wrong one is none, and what it should have been is not waited for. */
		flight->length = 0;
		pop_answered(connection);
	} else if (!is_own || head.sequence >= connection->next_reply + connection->flying.count ||
		   driver->row->tally.timeouts == 0) {
		/* Also one that comes twice; only after a message was given up it may be that
		 * one's. */
		receiving_unasked(connection, bytes, length);
	}
}

void
datagrams_check(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;

	while (connection->flying.count > 0 &&
		now - first_of(connection)->sent >= driver->load->timeout) {
		tally_add(&driver->row->tally.timeouts, 1);
		if (driver_in_window(driver, first_of(connection)->intended))
			tally_add(&driver->row->tally.lost, 1);
		pop_first(connection);
		pop_answered(connection);
	}
	if (!driver->load->is_open)
		connection_refill(connection, now);
}

/* Replies by datagrams: each comes whole or not at all, in any order. A message that the reply to a
 * later one has overtaken is still awaited; a flight of length 0 is answered, and leaves the list
 * when all before it have left. A reply that comes twice is a duplicate, whatever else was lost;
 * the first reply to a message that was given up is late, for which a timeout was counted. */
#include "tests/load/drive/datagrams.h"

#include "tests/load/drive/driver.h"
#include "tests/load/drive/message.h"
#include "tests/load/drive/receiving.h"
#include "tests/load/drive/sending.h"

#define WINDOW 64 /* messages that are remembered one by one: the bits of given_up */

static struct flight *
first_of(struct connection *connection)
{
	return &connection->driver->flights.items[connection->flying.first];
}

/* Removes the first message in flight, which is answered or given up. */
static void
pop_first(struct connection *connection, bool is_given_up)
{
	struct driver *driver = connection->driver;

	tally_add(&driver->row->tally.in_flight, (uint64_t)-1);
	flights_pop(&driver->flights, &connection->flying);
	connection->next_reply++;
	connection->given_up_older += connection->given_up >> (WINDOW - 1);
	connection->given_up = connection->given_up << 1 | is_given_up;
}

/* Whether this is the first reply to a message that was given up. Of messages before the last
 * WINDOW only the number of open ones is known. */
static bool
is_late(struct connection *connection, uint64_t sequence)
{
	uint64_t ago, bit;

	if (sequence >= connection->next_reply)
		return false;
	ago = connection->next_reply - 1 - sequence;
	if (ago >= WINDOW) {
		if (connection->given_up_older == 0)
			return false;
		connection->given_up_older--;
		return true;
	}
	bit = UINT64_C(1) << ago;
	if ((connection->given_up & bit) == 0)
		return false;
	connection->given_up &= ~bit;
	return true;
}

static void
pop_answered(struct connection *connection)
{
	while (connection->flying.count > 0 && first_of(connection)->length == 0)
		pop_first(connection, false);
}

/* The flight of the message, if it is in flight and not answered; else NULL. */
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
	/* A datagram whose head cannot be read is compared with the first awaited message. */
	if (!is_own)
		head.sequence = connection->next_reply;
	flight = find(connection, head.sequence);
	if (flight != NULL) {
		receiving_take_whole(connection, head.sequence, flight, bytes, length, now);
		/* A wrong reply ends the wait for its message, too. */
		flight->length = 0;
		pop_answered(connection);
	} else if (!is_own || !is_late(connection, head.sequence)) {
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
		pop_first(connection, true);
		pop_answered(connection);
	}
	if (!driver->load->is_open)
		connection_refill(connection, now);
}

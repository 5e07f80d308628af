/* Replies of a server of datagrams: each comes whole or not at all, some late, some not in their order. A message that
 * another one overtook is given up, as one that has no reply in time is. */
#include "tests/load/driver_priv.h"
#include "tests/load/receiving.h"

/* The first that is under way has no reply, and nobody waits for one any more. */
static void
give_up_first(struct connection *connection)
{
	struct driver *driver = connection->driver;
	const struct flight *flight = &driver->flights.items[connection->flying.first];
	struct tally *tally = &driver->row->tally;

	tally_add(&tally->timeouts, 1);
	if (driver_in_window(driver, flight->intended))
		tally_add(&tally->lost, 1);
	tally_add(&tally->in_flight, (uint64_t)-1);
	flights_pop(&driver->flights, &connection->flying);
	connection->next_reply++;
}

void
datagrams_take(struct connection *connection, const char *bytes, size_t length, int64_t now)
{
	struct driver *driver = connection->driver;
	struct message head;

	if (driver_in_window(driver, now))
		tally_add(&driver->row->tally.bytes_received, length);
	/* One whose place cannot be read is compared with the one that is awaited. */
	if (message_read_head(bytes, length, &head) && head.connection == connection->number) {
		/* It comes late, or twice. */
		if (head.sequence < connection->next_reply)
			return;
		while (connection->next_reply < head.sequence && connection->flying.count > 1)
			give_up_first(connection);
	}
	if (!receiving_take_whole(connection, bytes, length, now) && connection->flying.count > 0)
		give_up_first(connection);
}

void
datagrams_check(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;

	while (connection->flying.count > 0 &&
		now - driver->flights.items[connection->flying.first].sent >= driver->load->timeout)
		give_up_first(connection);
	if (!driver->load->is_open)
		connection_refill(connection, now);
}

/* Which addresses there are, and their sockets as sockets_open would bind them. Locks against other
 * servers are left out, since a world has no others. */
#include "tests/sim/worker/listeners.h"

#include "master/sockets/bind.h"

/* In trouble a server that is refused a socket would not start. */
#define TRIES 10

static const char *const texts[SERVER_ADDRESSES_MAX] = {
	"127.0.0.1:9090", "[::1]:9090", "unix:/sim/echo.sock"};

/* Of the server, also after its end. */
static struct address addresses[SERVER_ADDRESSES_MAX];
static unsigned count;

struct server_address
server_address(unsigned number)
{
	const struct address *address = &addresses[number % count];

	return (struct server_address){address->socket, address->length};
}

static bool
read_addresses(const struct server_shape *shape)
{
	struct address found[ADDRESSES_MAX];
	const char *why;

	count = shape->addresses;
	for (unsigned i = 0; i < count; i++) {
		if (address_parse(texts[(shape->turn + i) % SERVER_ADDRESSES_MAX], found, &why) !=
			1)
			return false;
		addresses[i] = found[0];
	}
	return true;
}

/* A Unix socket, of which all seats hold duplicates. */
static void
share_path(struct sockets *sockets, unsigned index)
{
	for (int tries = 0; sockets->shared[index] == -1 && tries < TRIES; tries++)
		sockets->shared[index] = bind_address(&sockets->addresses[index]);
}

bool
listeners_open(struct sockets *sockets, const struct server_shape *shape)
{
	if (!read_addresses(shape) || sockets_init(sockets, addresses, count, shape->backlog) != 0)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (addresses[i].kind == ADDRESS_UNIX)
			share_path(sockets, i);
	sockets->roll = roll_new(&sockets->roll_file);
	sockets->is_owner = true;
	for (int tries = 0; tries < TRIES; tries++)
		if (sockets_grow(sockets, shape->processes * shape->threads) == 0)
			return true;
	return false;
}

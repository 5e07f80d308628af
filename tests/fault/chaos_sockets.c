/* Acts on sockets, plain and with TLS, of which others close both ends meanwhile. */
#include <string.h>
#include <unistd.h>

#include "tests/fault/chaos_acts.h"
#include "tests/fault/chaos_world.h"

struct hub_tls *tls_client, *tls_server;

/* A call on a pair concerns that pair, whichever pair has its file descriptors by now. */
static bool
receive_from(const struct pair *pair)
{
	char bytes[5000];
	unsigned char serial = (unsigned char)pair->serial;
	ssize_t received = hub_recv(
		pair->ends[0], bytes, 1 + below(sizeof bytes), below(4) == 0 ? MSG_WAITALL : 0);

	/* Any error is possible: other coroutines close the pair. */
	for (ssize_t i = 0; i < received; i++)
		if ((unsigned char)bytes[i] != serial) {
			complain("a byte comes from another connection", i);
			break;
		}
	return received > 0;
}

static bool
send_over(const struct pair *pair, size_t most)
{
	static char bytes[256][60000];
	char *own = bytes[pair->serial % 256];
	size_t size = 1 + below((unsigned)most);
	struct iovec parts[2] = {{own, size / 2}, {own, size - size / 2}};

	memset(own, (int)(pair->serial % 256), size);
	return below(2) ? hub_send(pair->ends[1], own, size, 0) > 0
			: hub_writev(pair->ends[1], parts, 2) > 0;
}

bool
do_receive(unsigned i)
{
	return receive_from(&world.pairs[i]);
}

bool
do_send(unsigned i)
{
	return send_over(&world.pairs[i], below(4) == 0 ? 60000 : 10);
}

bool
do_poll(unsigned i)
{
	struct pollfd fds[2] = {
		{world.pairs[i].ends[0], POLLIN, 0}, {world.pairs[i].ends[1], POLLOUT, 0}};

	return hub_poll(fds, 1 + below(2), (int)below(3)) > 0;
}

bool
do_close(unsigned i)
{
	if (below(4) != 0)
		return true;
	hub_close(world.pairs[i].ends[0]);
	hub_close(world.pairs[i].ends[1]);
	return open_pair(&world.pairs[i]);
}

/* Unless the pair is closed before this coroutine begins. */
static void *
accept_secure(void *argument)
{
	struct pair *pair = argument;

	if (pair->ends[0] != -1 && !pair->is_accepted) {
		pair->is_accepted = true;
		hub_tls_accept(pair->ends[0], tls_server);
	}
	return NULL;
}

/* Other coroutines may close both ends meanwhile. */
static bool
shake_hands(struct pair *pair)
{
	unsigned serial = pair->serial;
	int ends[2] = {pair->ends[0], pair->ends[1]};
	struct hub_timeout shield, scope;
	struct hub_nursery nursery;
	bool is_done;

	hub_shield_start(&shield);
	hub_timeout_start(&scope, 50 * HUB_MILLISECOND);
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, accept_secure, pair);
	is_done = hub_tls_connect(ends[1], tls_client, NULL) == 0;
	is_done = hub_nursery_close(&nursery) == 0 && is_done;
	hub_timeout_stop(&scope);
	hub_shield_stop(&shield);
	is_done = is_done && pair->ends[0] != -1 && pair->serial == serial;
	pair->is_ready = pair->is_ready || (is_done && hub_tls_version(ends[0]) != NULL);
	return is_done;
}

bool
do_secure_open(unsigned i)
{
	struct pair *pair = &world.secure[i];

	if (pair->ends[0] != -1)
		return false;
	return open_pair(pair) && shake_hands(pair);
}

bool
do_secure_close(unsigned i)
{
	struct pair *pair = &world.secure[i];

	if (pair->ends[0] == -1 || below(pair->is_ready ? 4 : 40) != 0)
		return false;
	close_secure(pair);
	return true;
}

bool
do_secure_receive(unsigned i)
{
	return world.secure[i].is_ready && receive_from(&world.secure[i]);
}

bool
do_secure_send(unsigned i)
{
	return world.secure[i].is_ready && send_over(&world.secure[i], 60000);
}

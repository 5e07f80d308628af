/* A client's bytes are a part of one table of letters, which no client writes; what comes back is
 * received into one buffer for all, since nothing switches between the receive and the look. */
#include "tests/sim/worker/clients.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/hub.h"
#include "sim/sim.h"
#include "tests/sim/worker/process.h"
#include "tests/sim/worker/server.h"

#define LETTERS 26
#define PART ((size_t)16 * 1024) /* sent at once */
/* From then on a connection is idle, and a server that drains ends it: a message that is under way
 * at that moment comes too late. */
#define IDLE_FROM (450 * HUB_MILLISECOND)
/* A server looks at its timeouts now and then, and lingers for a moment when it ends a connection;
 * a client may wait in a queue before. */
#define KEPT_MORE (4 * HUB_SECOND)
#define HEADER_MOST (5 * HUB_SECOND)
/* Until then a server that runs still takes what comes too late, so that the end is no reset. */
#define LINGERS_UNTIL (1200 * HUB_MILLISECOND)

static struct {
	struct clients_manner manner;
	struct hub_pool pool;
	struct clients_ends ends;
} clients;

static char letters[PART + LETTERS], echoes[PART];

static bool
chance(unsigned rate)
{
	return rate != 0 && hub_sim_draw(rate) == 0;
}

static int64_t
draw_time(int64_t most)
{
	return (int64_t)hub_sim_draw((uint64_t)most);
}

/* ---- echoes ---- */

struct talk {
	int fd, family;
	bool is_slow, is_wrong, is_reset;
	size_t sent, echoed; /* bytes, from the first letter on */
	size_t began;        /* bytes that were sent before the present message */
	int64_t sent_at;     /* when the last message was sent; 0: none was */
	/* Nanoseconds before the present message, in which the server may have seen nothing: it
	 * may have echoed the last one at once. */
	int64_t paused;
};

static bool
send_message(struct talk *talk, size_t length)
{
	size_t end = talk->sent + length;

	talk->began = talk->sent;
	talk->paused = talk->sent_at != 0 ? hub_now() - talk->sent_at : 0;
	while (talk->sent < end) {
		size_t part = end - talk->sent < PART ? end - talk->sent : PART;
		ssize_t sent = hub_send(talk->fd, letters + talk->sent % LETTERS, part, 0);

		if (sent <= 0)
			return false;
		talk->sent += (size_t)sent;
	}
	talk->sent_at = hub_now();
	return true;
}

/* Receives once. Returns false at the end, or after an error. */
static bool
receive_some(struct talk *talk)
{
	ssize_t length;

	if (talk->is_slow)
		hub_sleep(draw_time(clients.manner.pause));
	length = hub_recv(talk->fd, echoes, sizeof echoes, 0);
	talk->is_reset = length == -1;
	for (ssize_t i = 0; i < length; i++) {
		talk->is_wrong |= talk->echoed == talk->sent ||
				  echoes[i] != (char)('A' + talk->echoed % LETTERS);
		talk->echoed++;
	}
	return length > 0 && !talk->is_wrong;
}

static bool
receive_all(struct talk *talk)
{
	while (talk->echoed < talk->sent)
		if (!receive_some(talk))
			return false;
	return true;
}

/* ---- how it ends ---- */

/* The connection has ended before the client has: whose fault is that? */
static unsigned *
judge(const struct talk *talk)
{
	bool is_unheard = talk->echoed <= talk->began;

	if (talk->is_wrong)
		return &clients.ends.wrong;
	if (server_is_late())
		return &clients.ends.ended;
	/* It waited in a queue that nobody serves for long. */
	if (talk->echoed == 0 && server_has_died())
		return &clients.ends.denied;
	if (talk->is_reset && talk->paused < LINGERS_UNTIL &&
		!processes_were_held_since(talk->sent_at - talk->paused))
		return &clients.ends.cut;
	if (talk->echoed == talk->sent || (is_unheard && talk->paused >= IDLE_FROM))
		return &clients.ends.ended;
	return &clients.ends.cut;
}

static void
leave_rudely(int fd)
{
	struct linger at_once = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* Whether the server has kept the client beyond that time. One that has left is no judge of it. */
static bool
is_kept(int64_t since, int64_t most)
{
	return most != 0 && hub_now() - since > most + most / 8 + KEPT_MORE;
}

/* Nothing comes any more but the end. */
static unsigned *
stay(struct talk *talk)
{
	int64_t began = hub_now();

	while (receive_some(talk))
		continue;
	return is_kept(began, clients.manner.idle_most) ? &clients.ends.kept : judge(talk);
}

/* Reads nothing, until the server takes no more, and ends that. */
static unsigned *
be_deaf(struct talk *talk)
{
	bool was_kept = false;
	ssize_t sent;

	do {
		int64_t began = hub_now();

		sent = hub_send(talk->fd, letters, PART, 0);
		was_kept |= is_kept(began, clients.manner.write_most);
	} while (sent > 0);
	return was_kept ? &clients.ends.kept : &clients.ends.ended;
}

/* Speaks as it is drawn. Returns where the end is to be counted. */
static unsigned *
speak(struct talk *talk)
{
	const struct clients_manner *manner = &clients.manner;
	unsigned left = 1 + (unsigned)hub_sim_draw(manner->messages);

	if (chance(manner->deaf))
		return be_deaf(talk);
	for (; left > 0; left--) {
		if (!send_message(talk, 1 + hub_sim_draw(manner->length)))
			return judge(talk);
		if (left == 1 && chance(manner->vanishing))
			return &clients.ends.left;
		if (left == 1 && chance(manner->resetting)) {
			leave_rudely(talk->fd);
			return &clients.ends.left;
		}
		if (!receive_all(talk))
			return judge(talk);
		if (left == 1)
			break;
		hub_sleep(draw_time(manner->pause));
	}
	return chance(manner->staying) ? stay(talk) : &clients.ends.whole;
}

/* ---- PROXY headers ---- */

#define HEADER_SIZE 28

static const unsigned char header[HEADER_SIZE] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
	0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0x23,
	0x82};

/* Sends so many of its bytes, in pieces. */
static bool
send_header(int fd, const unsigned char *bytes, size_t length)
{
	for (size_t sent = 0; sent < length;) {
		size_t part = 1 + hub_sim_draw(length - sent);

		if (hub_send(fd, bytes + sent, part, 0) != (ssize_t)part)
			return false;
		sent += part;
		if (chance(2))
			hub_sleep(draw_time(HUB_SECOND / 10));
	}
	return true;
}

/* Nothing but the end may come. */
static unsigned *
await_denial(int fd)
{
	int64_t began = hub_now();

	if (hub_recv(fd, echoes, 1, 0) > 0)
		return &clients.ends.wrong;
	return is_kept(began, HEADER_MOST) ? &clients.ends.kept : &clients.ends.denied;
}

static unsigned *
speak_behind_proxy(struct talk *talk)
{
	unsigned char bytes[HEADER_SIZE];

	memcpy(bytes, header, sizeof bytes);
	if (talk->family == clients.manner.foreign) {
		send_header(talk->fd, bytes, sizeof bytes);
		return await_denial(talk->fd);
	}
	if (chance(clients.manner.lying)) {
		/* What follows the first 14 bytes may be anything. */
		bytes[hub_sim_draw(14)] ^= 0x40;
		send_header(talk->fd, bytes, sizeof bytes);
		return await_denial(talk->fd);
	}
	if (chance(clients.manner.late)) {
		send_header(talk->fd, bytes, 1 + hub_sim_draw(HEADER_SIZE - 1));
		return await_denial(talk->fd);
	}
	return send_header(talk->fd, bytes, sizeof bytes) ? speak(talk) : judge(talk);
}

/* ---- a client ---- */

static unsigned *
connect_and_speak(struct talk *talk)
{
	unsigned *missed = server_is_open() ? &clients.ends.refused : &clients.ends.denied;
	struct server_address to = server_address((unsigned)hub_sim_draw(UINT_MAX));

	talk->family = to.socket.ss_family;
	talk->fd = hub_socket(talk->family, SOCK_STREAM, 0);
	if (talk->fd == -1)
		return missed;
	if (hub_connect(talk->fd, (struct sockaddr *)&to.socket, to.length) != 0)
		/* A SYN that is on its way when the server leaves is not answered. */
		return server_is_leaving() ? &clients.ends.denied : missed;
	return clients.manner.has_proxy ? speak_behind_proxy(talk) : speak(talk);
}

static void *
be_client(void *unused)
{
	struct talk talk = {.fd = -1, .is_slow = chance(clients.manner.slow)};

	hub_sleep(draw_time(clients.manner.come_within));
	++*connect_and_speak(&talk);
	if (talk.fd != -1)
		hub_close(talk.fd);
	return unused;
}

void
clients_start(const struct clients_manner *manner)
{
	for (size_t i = 0; i < sizeof letters; i++)
		letters[i] = (char)('a' + i % LETTERS);
	memset(&clients, 0, sizeof clients);
	clients.manner = *manner;
	hub_pool_init(&clients.pool, 0);
	for (unsigned i = 0; i < manner->count; i++)
		if (hub_pool_spawn(&clients.pool, be_client, NULL) == NULL)
			clients.ends.denied++;
}

struct clients_ends
clients_wait(void)
{
	hub_pool_join(&clients.pool);
	return clients.ends;
}

unsigned
clients_sum(const struct clients_ends *ends)
{
	return ends->whole + ends->left + ends->ended + ends->denied + ends->refused + ends->cut +
	       ends->wrong + ends->kept;
}

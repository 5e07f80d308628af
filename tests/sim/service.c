#include "tests/sim/service.h"

#include <hubbub/hub.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/worlds.h"

enum { NUMBERS = 2048, SIZE = 2000, AHEAD = 3 };

static struct session *sessions[NUMBERS]; /* by descriptor */

struct session *
service_session(int client)
{
	return sessions[client];
}

/* ---- what moves ---- */

static void
moved(struct session *session, bool has_come)
{
	session->moved_at = hub_now();
	session->has_received |= has_come;
	session->is_asked = has_come;
}

static ssize_t
receive(struct session *session, void *bytes)
{
	ssize_t got;

	if (session->receiving++ == 0)
		session->receiving_since = hub_now();
	got = hub_recv(session->client, bytes, SIZE, 0);
	session->receiving--;
	if (got > 0)
		moved(session, true);
	return got;
}

static bool
answer(struct session *session, const void *bytes, size_t length)
{
	ssize_t sent;

	session->sending++;
	sent = hub_send(session->client, bytes, length, 0);
	session->sending--;
	/* A part was sent before the wait that has failed. */
	if (sent == (ssize_t)length)
		moved(session, false);
	return sent == (ssize_t)length;
}

/* ---- by one coroutine ---- */

static void
serve_alone(struct session *session)
{
	unsigned char bytes[SIZE];
	ssize_t got;

	while ((got = receive(session, bytes)) > 0) {
		if (once_in(4))
			hub_sleep(below(20) * HUB_MILLISECOND);
		if (!answer(session, bytes, (size_t)got))
			return;
	}
}

/* ---- by two ---- */

struct shared {
	struct session *session;
	struct hub_queue *queue; /* of what has come, and is to be sent */
};

struct piece {
	size_t length;
	unsigned char bytes[];
};

static void *
receive_all(void *argument)
{
	struct shared *shared = argument;
	unsigned char bytes[SIZE];
	ssize_t got;

	while ((got = receive(shared->session, bytes)) > 0) {
		struct piece *piece = malloc(sizeof *piece + (size_t)got);

		piece->length = (size_t)got;
		memcpy(piece->bytes, bytes, (size_t)got);
		if (hub_queue_put(shared->queue, piece) != 0) {
			free(piece);
			break;
		}
	}
	hub_queue_close(shared->queue);
	return NULL;
}

static void *
send_all(void *argument)
{
	struct shared *shared = argument;
	bool is_sent = true;
	void *item;

	while (is_sent && hub_queue_get(shared->queue, &item) == 0) {
		const struct piece *piece = item;

		is_sent = answer(shared->session, piece->bytes, piece->length);
		free(item);
	}
	return NULL;
}

/* Kills a coroutine and waits for it, whatever happens to the caller. */
static void
end(struct hub_coroutine *coroutine)
{
	struct hub_timeout shield;

	if (coroutine == NULL)
		return;
	hub_kill(coroutine);
	hub_shield_start(&shield);
	hub_join(coroutine, NULL);
	hub_shield_stop(&shield);
}

/* The coroutine of the connection waits for neither direction. */
static void
serve_by_two(struct session *session)
{
	struct shared shared = {session, hub_queue_new(HUB_QUEUE_FIFO, AHEAD)};
	struct hub_coroutine *sender, *receiver;
	void *item;

	if (shared.queue == NULL)
		return;
	receiver = hub_spawn(receive_all, &shared);
	sender = hub_spawn(send_all, &shared);
	if (sender != NULL && hub_join(sender, NULL) == 0)
		sender = NULL;
	end(sender);
	end(receiver);
	while (hub_queue_try_get(shared.queue, &item) == 0)
		free(item);
	hub_queue_free(shared.queue);
}

void
service_serve(int client, void *unused)
{
	struct session session = {
		.client = client, .moved_at = hub_now(), .receiving_since = HUB_FOREVER};

	(void)unused;
	sessions[client] = &session;
	if (once_in(2))
		serve_by_two(&session);
	else
		serve_alone(&session);
	sessions[client] = NULL;
}

/* A hub's clients are a list that only the hub's thread touches. Other hubs get a message by a
 * queue that threads share, one for each hub; it has a bound, so that a hub that is behind slows
 * down those who send, and takes no memory. */
#include "room.h"

#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <hubbub/thread/shared.h>
#include <stdlib.h>

#include "message.h"
#include "metrics.h"
#include "outbox.h"

#define QUEUE_MOST 256 /* messages */

static _Thread_local struct outbox *members;

const char *
room_open(struct room *room)
{
	room->hubs = hubbub_self()->hubs;
	room->queues = calloc(room->hubs, sizeof *room->queues);
	if (room->queues == NULL)
		return "no memory for the room";
	for (unsigned i = 0; i < room->hubs; i++) {
		room->queues[i] = hub_shared_queue_new(QUEUE_MOST);
		if (room->queues[i] == NULL)
			return "no memory for the room";
	}
	return NULL;
}

void
room_close(struct room *room)
{
	void *message;

	for (unsigned i = 0; i < room->hubs; i++) {
		while (hub_shared_queue_try_get(room->queues[i], &message) == 0)
			message_release(message);
		hub_shared_queue_free(room->queues[i]);
	}
	free(room->queues);
}

const char *
room_run(struct room *room)
{
	struct hub_shared_queue *queue = room->queues[hubbub_self()->hub];
	void *message;

	while (hub_shared_queue_get(queue, &message) == 0) {
		room_tell_hub(message);
		message_release(message);
	}
	hub_shared_queue_close(queue); /* nobody waits for a hub that has no clients any more */
	return NULL;
}

void
room_enter(struct outbox *outbox)
{
	outbox->next = members;
	outbox->previous = &members;
	if (members != NULL)
		members->previous = &outbox->next;
	members = outbox;
	hubbub_gauge_add(WEBSOCKET_CLIENTS, 1);
}

void
room_leave(struct outbox *outbox)
{
	*outbox->previous = outbox->next;
	if (outbox->next != NULL)
		outbox->next->previous = outbox->previous;
	hubbub_gauge_add(WEBSOCKET_CLIENTS, -1);
}

void
room_tell_hub(struct message *message)
{
	for (struct outbox *at = members; at != NULL; at = at->next)
		outbox_put(at, message);
}

void
room_tell_process(struct room *room, struct message *message)
{
	room_tell_hub(message);
	for (unsigned i = 0; i < room->hubs; i++)
		if (i != hubbub_self()->hub &&
			hub_shared_queue_put(room->queues[i], message_hold(message)) != 0)
			message_release(message);
}

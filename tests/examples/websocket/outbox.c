/* A list of messages, which are shared: an entry costs its bytes, since it may be the last to hold
 * the message. */
#include "outbox.h"

#include <hubbub/server.h>
#include <stdlib.h>

#include "message.h"
#include "metrics.h"

struct entry {
	struct entry *next;
	struct message *message;
};

static size_t
cost(const struct message *message)
{
	return sizeof(struct entry) + sizeof *message + message->length;
}

void
outbox_open(struct outbox *outbox, int client, size_t most)
{
	*outbox = (struct outbox){.client = client, .most = most, .last = &outbox->first};
}

/* The client's coroutine sees the end of the input, and says why. */
static void
overflow(struct outbox *outbox)
{
	outbox->is_full = true;
	hub_end_input(outbox->client);
	hubbub_count(WEBSOCKET_SLOW, 1);
}

void
outbox_put(struct outbox *outbox, struct message *message)
{
	struct entry *entry;

	if (outbox->is_full || outbox->is_ended)
		return;
	entry = cost(message) <= outbox->most - outbox->used ? malloc(sizeof *entry) : NULL;
	if (entry == NULL) {
		overflow(outbox);
		return;
	}
	*entry = (struct entry){NULL, message_hold(message)};
	*outbox->last = entry;
	outbox->last = &entry->next;
	outbox->used += cost(message);
	hub_event_set(&outbox->changed);
}

/* Takes the first entry off the list, which is not empty. */
static struct message *
shift(struct outbox *outbox)
{
	struct entry *entry = outbox->first;
	struct message *message = entry->message;

	outbox->first = entry->next;
	if (outbox->first == NULL)
		outbox->last = &outbox->first;
	outbox->used -= cost(message);
	free(entry);
	return message;
}

struct message *
outbox_take(struct outbox *outbox)
{
	while (outbox->first == NULL) {
		if (outbox->is_ended)
			return NULL;
		hub_event_clear(&outbox->changed);
		if (hub_event_wait(&outbox->changed) != 0)
			return NULL;
	}
	return shift(outbox);
}

void
outbox_drop(struct outbox *outbox)
{
	while (outbox->first != NULL)
		message_release(shift(outbox));
	outbox->is_full = false;
}

void
outbox_end(struct outbox *outbox)
{
	outbox->is_ended = true;
	hub_event_set(&outbox->changed);
}

/* A message is encoded when it is made, not for each receiver: a server's frames are not masked, so
 * they are the same for all. */
#include "message.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#define HEAD_MOST 14

static struct message *
make(size_t room)
{
	struct message *message = malloc(sizeof *message + room);

	if (message != NULL)
		*message = (struct message){.holders = 1};
	return message;
}

/* Where wslay sends a frame to. */
static ssize_t
append(const uint8_t *bytes, size_t length, int flags, void *context)
{
	struct message *message = context;

	(void)flags;
	memcpy(message->frame + message->length, bytes, length);
	message->length += length;
	return (ssize_t)length;
}

struct message *
message_new(uint8_t opcode, const void *bytes, size_t length)
{
	static const struct wslay_frame_callbacks callbacks = {.send_callback = append};
	struct wslay_frame_iocb frame = {.fin = 1,
		.opcode = opcode,
		.payload_length = length,
		.data = bytes,
		.data_length = length};
	struct message *message = make(HEAD_MOST + length);
	wslay_frame_context_ptr frames;

	if (message == NULL)
		return NULL;
	if (wslay_frame_context_init(&frames, &callbacks, message) != 0) {
		free(message);
		return NULL;
	}
	wslay_frame_send(frames, &frame);
	wslay_frame_context_free(frames);
	message->opcode = opcode;
	message->head = message->length - length;
	return message;
}

struct message *
message_of_frames(const void *frames, size_t length)
{
	struct message *message = make(length);

	if (message != NULL)
		append(frames, length, 0, message);
	return message;
}

struct message *
message_hold(struct message *message)
{
	message->holders++;
	return message;
}

void
message_release(struct message *message)
{
	if (message != NULL && --message->holders == 0)
		free(message);
}

/* A message as its receivers get it: one frame, made once, which all of them share. */
#ifndef WEBSOCKET_MESSAGE_H
#define WEBSOCKET_MESSAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct message {
	atomic_uint holders; /* in several hubs, so in several threads */
	uint8_t opcode;
	size_t head;   /* bytes of the frame before the text */
	size_t length; /* of the frame */
	uint8_t frame[];
};

/* A message of these bytes, with one holder; NULL: no memory. opcode is wslay's: of a text, or of
 * binary data. */
struct message *message_new(uint8_t opcode, const void *bytes, size_t length);

/* The same of bytes that are frames already. */
struct message *message_of_frames(const void *frames, size_t length);

/* One holder more, in any thread; returns message. */
struct message *message_hold(struct message *message);

/* One holder less: the last one frees it. NULL is ignored. */
void message_release(struct message *message);

#endif

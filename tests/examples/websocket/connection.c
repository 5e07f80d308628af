/* One client: one coroutine receives, and tells the room; another sends what is in the outbox.
 * wslay looks at the frames: it puts fragments together, refuses what is none, and answers pings
 * and closes. */
#include "connection.h"

#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

#include "chat.h"
#include "handshake.h"
#include "message.h"
#include "metrics.h"
#include "outbox.h"
#include "request.h"

/* Bytes that are looked at in one go, then others get their turn: those that send, too. */
#define SLICE ((size_t)4096)
#define FRAGMENTS_MOST 4096 /* of a message: each costs memory, also an empty one */

struct connection {
	struct chat *chat;
	int client;
	enum reach reach;
	struct hub_stream *stream;
	wslay_event_context_ptr frames;
	struct outbox outbox;
	const char *bytes; /* what has come, and was not looked at */
	size_t length;
	bool is_in_message; /* of which some frames have come */
	unsigned fragments;
	bool is_pinged; /* and has not been heard of since */
	/* Why the server closes the connection, if wslay does not. */
	uint16_t code;
	const char *why;
};

static void
give_up(struct connection *connection, uint16_t code, const char *why)
{
	connection->code = code;
	connection->why = why;
}

/* ---- sending ---- */

static void *
send_messages(void *argument)
{
	struct connection *connection = argument;
	struct message *message;
	bool is_sent = true;

	while (is_sent && (message = outbox_take(&connection->outbox)) != NULL) {
		is_sent = hub_stream_write(connection->stream, message->frame, message->length) ==
				  (ssize_t)message->length &&
			  (connection->outbox.first != NULL ||
				  hub_stream_flush(connection->stream) == 0);
		message_release(message);
	}
	if (!is_sent)
		hub_end_input(connection->client);
	outbox_end(&connection->outbox);
	return NULL;
}

/* Sends a message that is for this client alone; NULL: there was no memory for it. */
static void
send_message(struct connection *connection, struct message *message)
{
	if (message != NULL)
		outbox_put(&connection->outbox, message);
	message_release(message);
}

/* What wslay sends in one go, after it has looked at a slice, fits: a pong is shorter than its
 * ping. It is one message, so that a frame stays together. */
static _Thread_local struct {
	uint8_t bytes[SLICE + 512];
	size_t length;
} gathered;

static ssize_t
gather(wslay_event_context_ptr frames, const uint8_t *bytes, size_t length, int flags,
	void *connection)
{
	(void)flags;
	(void)connection;
	if (length > sizeof gathered.bytes - gathered.length) {
		wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	memcpy(gathered.bytes + gathered.length, bytes, length);
	gathered.length += length;
	return (ssize_t)length;
}

/* Sends pings, pongs and closes, but for a close of which the server knows better. */
static void
send_control(struct connection *connection)
{
	gathered.length = 0;
	wslay_event_send(connection->frames);
	if (gathered.length == 0 || connection->why != NULL)
		return;
	send_message(connection, message_of_frames(gathered.bytes, gathered.length));
}

/* ---- receiving ---- */

static ssize_t
take_bytes(wslay_event_context_ptr frames, uint8_t *buffer, size_t length, int flags, void *context)
{
	struct connection *connection = context;

	(void)flags;
	if (connection->length == 0) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (length > connection->length)
		length = connection->length;
	memcpy(buffer, connection->bytes, length);
	connection->bytes += length;
	connection->length -= length;
	return (ssize_t)length;
}

static void
count_frame(wslay_event_context_ptr frames, const struct wslay_event_on_frame_recv_start_arg *frame,
	void *context)
{
	struct connection *connection = context;

	(void)frames;
	if (frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1)
		give_up(connection, WSLAY_CODE_PROTOCOL_ERROR, "half a code"); /* wslay takes it */
	if (wslay_is_ctrl_frame(frame->opcode))
		return;
	connection->is_in_message = true;
	if (++connection->fragments > FRAGMENTS_MOST)
		give_up(connection, WSLAY_CODE_POLICY_VIOLATION,
			"a message has too many fragments");
}

static void
tell(struct connection *connection, struct message *message)
{
	struct chat *chat = connection->chat;

	if (connection->reach == REACH_HUB)
		room_tell_hub(message);
	else
		room_tell_process(&chat->room, message);
	if (connection->reach == REACH_ALL)
		redis_publish(&chat->redis, message);
}

static void
take_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *received,
	void *context)
{
	struct connection *connection = context;
	struct message *message;

	(void)frames;
	if (wslay_is_ctrl_frame(received->opcode)) {
		send_control(connection); /* a pong comes before the message that follows */
		return;
	}
	connection->is_in_message = false;
	connection->fragments = 0;
	if (connection->why != NULL)
		return;
	hubbub_busy(connection->client);
	hubbub_count(WEBSOCKET_MESSAGES, 1);
	message = message_new(received->opcode, received->msg, received->msg_length);
	if (message != NULL)
		tell(connection, message);
	else
		give_up(connection, WSLAY_CODE_INTERNAL_SERVER_ERROR, "no memory");
	message_release(message);
}

/* Waits for bytes, and pings a client that is silent. Returns whether there are any; if there are
 * not, why may say the reason. */
static bool
wait_for_bytes(struct connection *connection)
{
	const struct chat *chat = connection->chat;
	struct hub_timeout scope;

	hub_timeout_start(&scope, connection->is_pinged ? chat->pong : chat->ping);
	connection->bytes = hub_stream_peek(connection->stream, 1, &connection->length);
	if (!hub_timeout_stop(&scope) || connection->bytes != NULL) {
		connection->is_pinged = false;
		return connection->bytes != NULL;
	}
	if (connection->is_pinged) {
		give_up(connection, WSLAY_CODE_POLICY_VIOLATION, "there is no answer to a ping");
		hubbub_count(WEBSOCKET_SILENT, 1);
		return false;
	}
	connection->is_pinged = true;
	connection->length = 0;
	wslay_event_queue_msg(connection->frames, &(struct wslay_event_msg){.opcode = WSLAY_PING});
	return true;
}

/* Looks at what has come. Returns whether the client goes on. */
static bool
listen_once(struct connection *connection)
{
	size_t slice;
	int error;

	if (!wait_for_bytes(connection))
		return false;
	if (connection->length > SLICE)
		connection->length = SLICE;
	slice = connection->length;
	error = wslay_event_recv(connection->frames);
	hub_stream_skip(connection->stream, slice);
	if (error == WSLAY_ERR_NOMEM)
		give_up(connection, WSLAY_CODE_INTERNAL_SERVER_ERROR, "no memory");
	else if (error != 0) /* wslay would say no code */
		give_up(connection, WSLAY_CODE_PROTOCOL_ERROR, "this is no frame");
	send_control(connection);
	if (!connection->is_in_message) /* a pong has no answer, either */
		hubbub_idle(connection->client);
	return wslay_event_want_read(connection->frames) != 0 && connection->why == NULL &&
	       !connection->outbox.is_full && hub_sleep(0) == 0;
}

/* ---- from the handshake to the end ---- */

/* What a client is told first; what follows is what clients say. */
static void
greet(struct connection *connection)
{
	static const char *const reaches[] = {[REACH_HUB] = "this hub",
		[REACH_PROCESS] = "this process",
		[REACH_ALL] = "all processes"};
	const char *reach = reaches[connection->reach];
	const struct hubbub_self *self = hubbub_self();
	char text[128];

	if (connection->reach == REACH_ALL && !redis_is_reached(&connection->chat->redis))
		reach = connection->chat->redis.address == NULL
				? "this process alone: the server has no --redis"
				: "this process alone: Redis cannot be reached";
	snprintf(text, sizeof text, "worker %u, hub %u; what you say reaches %s", self->worker,
		self->hub, reach);
	send_message(connection, message_new(WSLAY_TEXT_FRAME, text, strlen(text)));
}

static void
send_close(struct connection *connection)
{
	uint8_t payload[125] = {(uint8_t)(connection->code >> 8), (uint8_t)connection->code};
	size_t length = strlen(connection->why);

	memcpy(payload + 2, connection->why, length);
	send_message(connection, message_new(WSLAY_CONNECTION_CLOSE, payload, 2 + length));
}

/* Says why the server closes the connection, unless wslay or the client has said so. */
static void
say_goodbye(struct connection *connection)
{
	if (connection->outbox.is_full) {
		outbox_drop(&connection->outbox);
		give_up(connection, WSLAY_CODE_POLICY_VIOLATION, "you read too slowly");
	} else if (connection->why == NULL && hub_input_has_ended(connection->client) &&
		   wslay_event_want_read(connection->frames) != 0) {
		give_up(connection, WSLAY_CODE_GOING_AWAY, "the server ends");
	}
	if (connection->why != NULL)
		send_close(connection);
}

/* Waits until all is sent, for a while. */
static void
end_sending(struct connection *connection, struct hub_coroutine *sender)
{
	struct hub_timeout shield;

	outbox_end(&connection->outbox);
	if (hub_join_for(sender, NULL, connection->chat->closing) != 0) {
		hub_kill(sender);
		hub_shield_start(&shield);
		hub_join(sender, NULL);
		hub_shield_stop(&shield);
	}
	outbox_drop(&connection->outbox);
}

static void
chat_with(struct connection *connection)
{
	struct hub_coroutine *sender;

	outbox_open(&connection->outbox, connection->client, connection->chat->queue);
	sender = hub_spawn(send_messages, connection);
	if (sender == NULL)
		return; /* no memory */
	hub_set_name(sender, "sender");
	hub_stream_cork(connection->stream, true); /* the sender sends */
	greet(connection);
	room_enter(&connection->outbox);
	while (listen_once(connection))
		continue;
	room_leave(&connection->outbox);
	say_goodbye(connection);
	end_sending(connection, sender);
}

static void
speak_frames(struct connection *connection)
{
	static const struct wslay_event_callbacks callbacks = {.recv_callback = take_bytes,
		.send_callback = gather,
		.on_frame_recv_start_callback = count_frame,
		.on_msg_recv_callback = take_message};

	if (wslay_event_context_server_init(&connection->frames, &callbacks, connection) != 0)
		return; /* no memory */
	wslay_event_config_set_max_recv_msg_length(connection->frames, connection->chat->longest);
	chat_with(connection);
	wslay_event_context_free(connection->frames);
}

void
connection_serve(int client, struct chat *chat)
{
	struct hub_stream_options options = {.longest = HEAD_MOST};
	struct connection connection = {
		.chat = chat, .client = client, .stream = hub_stream_new(client, &options)};

	if (connection.stream == NULL)
		return; /* no memory */
	if (!handshake(connection.stream, chat, &connection.reach)) {
		hub_stream_close(connection.stream);
		return;
	}
	speak_frames(&connection);
	hub_stream_free(connection.stream); /* what was not sent in time is lost */
}

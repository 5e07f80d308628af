/* Who is in the chat: of each hub its own clients, and of each process its hubs. */
#ifndef WEBSOCKET_ROOM_H
#define WEBSOCKET_ROOM_H

struct hub_shared_queue;
struct message;
struct outbox;

/* The hubs of one process; they share it without a lock, since it does not change. */
struct room {
	unsigned hubs;
	struct hub_shared_queue **queues; /* of each hub: messages of other hubs */
};

/* Before the process has other hubs. Returns NULL, or why it cannot. */
const char *room_open(struct room *room);

/* After all other hubs have ended. */
void room_close(struct room *room);

/* Gives this hub's clients what other hubs say; a background function of each hub. */
const char *room_run(struct room *room);

/* A client of this hub comes, or goes. */
void room_enter(struct outbox *outbox);
void room_leave(struct outbox *outbox);

/* Tells all clients of this hub. Switches: no. */
void room_tell_hub(struct message *message);

/* Tells all clients of the process. Switches: yes, while another hub is behind. */
void room_tell_process(struct room *room, struct message *message);

#endif

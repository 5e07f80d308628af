/* The messages between master and worker: fixed records over a SOCK_SEQPACKET pair, so that each
 * arrives whole or not at all; some carry a file descriptor. End of file means that the other
 * process is dead. */
#ifndef HUBBUB_WORKER_CHANNEL_H
#define HUBBUB_WORKER_CHANNEL_H

#include <stdint.h>
#include <sys/types.h>

enum channel_kind {
	/* worker to master */
	CHANNEL_READY,   /* the loops of all hubs of the worker run: its sockets may listen */
	CHANNEL_DRAINED, /* this hub accepts no more */
	CHANNEL_DUMPED,  /* this hub has written its stacks; value is that of CHANNEL_DUMP */
	/* No hub will write: no room for the file descriptor, or no memory. */
	CHANNEL_DUMP_MISSED,
	CHANNEL_REOPEN_MISSED, /* there was no room for the file descriptor of CHANNEL_REOPEN */
	CHANNEL_TO_MASTER_MAX,
	/* master to worker; numbered above the words that two masters exchange
	 * (master/change/word.h) */
	CHANNEL_ACCEPT = 64, /* the sockets listen: start to accept */
	/* With a listener of another hub, for the address of index value: accept at most count of
	 * the clients queued there, and close it; a worker that has got CHANNEL_DRAIN empties that
	 * queue as it empties its own. */
	CHANNEL_ADOPT,
	/* Others accept on the same sockets: accept no more, serve open connections for value
	 * nanoseconds, leave. */
	CHANNEL_HANDOVER,
	CHANNEL_DRAIN,  /* the same, but nobody else accepts: first serve the queued clients */
	CHANNEL_STOP,   /* end connections at a message boundary, within 0.5 s, and leave */
	CHANNEL_DUMP,   /* with a file descriptor: every hub writes its coroutines to it */
	CHANNEL_REOPEN, /* with a file descriptor: the new standard error */
	CHANNEL_QUIT,   /* flush stdio's buffers, and exit at once */
	/* With a socket: run the service's command of number value, and answer there (reply.h). */
	CHANNEL_ASK,
	CHANNEL_KIND_MAX,
};

/* The two masters of an upgrade exchange the same record, and may be of different releases: its
 * length never changes. */
struct channel_message {
	uint32_t kind;
	union {
		uint32_t hub;   /* index, for messages about one hub */
		uint32_t count; /* of CHANNEL_ADOPT: clients */
	};
	int64_t value;
};

_Static_assert(sizeof(struct channel_message) == 16, "former releases read no other length");

/* Sends a message, with a file descriptor unless descriptor is -1; the descriptor stays the
 * caller's. Never waits. Returns 0, or -1 with errno: EAGAIN if the other process does not read. */
int channel_send(int channel, const struct channel_message *message, int descriptor);

/* Receives a message without waiting; *descriptor is -1, or a file descriptor that is the caller's
 * to close. Where files have run out, the descriptor takes the place of the spare one (spare.h).
 * Returns 1; 0 if there is no message, or the kernel has no memory for it at the moment; or -1: the
 * other process is gone. */
int channel_receive(int channel, struct channel_message *message, int *descriptor);

#endif

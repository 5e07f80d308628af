/* What master and worker say to each other: fixed records over a SOCK_SEQPACKET pair, so that each
 * message arrives whole or not at all, some with a descriptor. The end of file means that the other
 * side is dead. */
#ifndef HUBBUB_WORKER_CHANNEL_H
#define HUBBUB_WORKER_CHANNEL_H

#include <stdint.h>
#include <sys/types.h>

enum channel_kind {
	/* worker to master */
	CHANNEL_READY,   /* the loops of all its hubs run: their sockets may listen */
	CHANNEL_DRAINED, /* this hub accepts no more */
	CHANNEL_DUMPED,  /* this hub has written its stacks; value is that of CHANNEL_DUMP */
	/* master to worker */
	CHANNEL_ACCEPT, /* the sockets listen: start to accept */
	CHANNEL_ADOPT, /* with a listener of another, of address value: accept what is queued there, and close it */
	CHANNEL_HANDOVER, /* others accept on the same sockets: accept no more, serve what is open
			     for value nanoseconds, leave */
	CHANNEL_DRAIN,    /* the same, but nobody else accepts: take what is queued first */
	CHANNEL_STOP,     /* close everything in order and leave */
	CHANNEL_DUMP,     /* with a file: every hub writes its coroutines to it */
	CHANNEL_REOPEN,   /* with a file: standard error from now on */
	CHANNEL_KIND_MAX
};

struct channel_message {
	uint32_t kind;
	uint32_t hub; /* for messages about one hub */
	int64_t value;
};

/* Sends one, with a descriptor unless that is -1, which stays the caller's. Never waits.
 * Returns 0, or -1 with errno: EAGAIN if the other side does not read. */
int channel_send(int channel, const struct channel_message *message, int descriptor);

/* Receives one without waiting; *descriptor is -1 or the caller's to close.
 * Returns 1; 0 if none is there, or none can be had now (ENOMEM), but perhaps next time; or -1:
 * the other side is gone. */
int channel_receive(int channel, struct channel_message *message, int *descriptor);

#endif

/* What master and worker say to each other: fixed records over a SOCK_SEQPACKET pair, so that each
 * message arrives whole or not at all, some with a descriptor. The end of file means that the other
 * side is dead. */
#ifndef HUBBUB_WORKER_CHANNEL_H
#define HUBBUB_WORKER_CHANNEL_H

#include <stdint.h>
#include <sys/types.h>

enum channel_kind {
	/* worker to master */
	CHANNEL_READY,         /* the loops of all its hubs run: their sockets may listen */
	CHANNEL_DRAINED,       /* this hub accepts no more */
	CHANNEL_DUMPED,        /* this hub has written its stacks; value is that of CHANNEL_DUMP */
	CHANNEL_DUMP_MISSED,   /* no hub will: there was no room for the file, or no memory */
	CHANNEL_REOPEN_MISSED, /* there was no room for the file of CHANNEL_REOPEN */
	CHANNEL_TO_MASTER_MAX,
	/* master to worker; beyond the words of two masters (master/change/word.h) */
	CHANNEL_ACCEPT = 64, /* the sockets listen: start to accept */
	CHANNEL_ADOPT, /* with a listener of another hub, of address value: accept at most count of
			     those that are queued there, and close it; a worker that has got
			     CHANNEL_DRAIN empties that queue as its own ones */
	CHANNEL_HANDOVER, /* others accept on the same sockets: accept no more, serve what is open
			     for value nanoseconds, leave */
	CHANNEL_DRAIN,    /* the same, but nobody else accepts: take what is queued first */
	CHANNEL_STOP,   /* end connections at the boundary of a message, within 0.5 s, and leave */
	CHANNEL_DUMP,   /* with a file: every hub writes its coroutines to it */
	CHANNEL_REOPEN, /* with a file: standard error from now on */
	CHANNEL_QUIT,   /* write out what stdio has buffered, and end at once */
	CHANNEL_KIND_MAX,
};

/* Two masters of an upgrade, which may be of different releases, say words by it: its length is
 * for ever. */
struct channel_message {
	uint32_t kind;
	union {
		uint32_t hub;   /* for messages about one hub */
		uint32_t count; /* of CHANNEL_ADOPT */
	};
	int64_t value;
};

_Static_assert(sizeof(struct channel_message) == 16, "former releases hear no other length");

/* Sends one, with a descriptor unless that is -1, which stays the caller's. Never waits.
 * Returns 0, or -1 with errno: EAGAIN if the other side does not read. */
int channel_send(int channel, const struct channel_message *message, int descriptor);

/* Receives one without waiting; *descriptor is -1 or the caller's to close. If files have run out
 * it gets the number that the process keeps (spare.h).
 * Returns 1; 0 if none is there, or none can be had now (ENOMEM), but perhaps next time; or -1:
 * the other side is gone. */
int channel_receive(int channel, struct channel_message *message, int *descriptor);

#endif

/* The messages between master and worker: fixed records over a SOCK_SEQPACKET pair, so that each
 * arrives whole or not at all; some carry a file descriptor. End of file means that the other
 * process is dead. */
#ifndef HUBBUB_WORKER_CHANNEL_H
#define HUBBUB_WORKER_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum channel_kind {
	/* worker to master */
	CHANNEL_READY,   /* the loops of all hubs of the worker run: its sockets may listen */
	CHANNEL_DRAINED, /* this hub accepts no more */
	CHANNEL_DUMPED,  /* this hub has written its stacks; value is that of CHANNEL_DUMP */
	/* No hub will write: no room for the file descriptor, or no memory. */
	CHANNEL_DUMP_MISSED,
	/* There was no room for the file descriptor of CHANNEL_REOPEN, whose value this has. */
	CHANNEL_REOPEN_MISSED,
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
	CHANNEL_DRAIN, /* the same, but nobody else accepts: first serve the queued clients */
	CHANNEL_STOP,  /* end connections at a message boundary, within 0.5 s, and leave */
	CHANNEL_DUMP,  /* with a file descriptor: every hub writes its coroutines to it */
	/* With a file descriptor: the new standard error, or the log that value names. */
	CHANNEL_REOPEN,
	CHANNEL_QUIT, /* flush stdio's buffers, and exit at once */
	/* With a socket: run the service's command of number value, and answer there (reply.h). */
	CHANNEL_ASK,
	CHANNEL_KIND_MAX,
};

/* Whether messages of the master's of this kind bring a file descriptor. */
static inline bool
channel_has_file(uint32_t kind)
{
	return kind == CHANNEL_ADOPT || kind == CHANNEL_DUMP || kind == CHANNEL_REOPEN ||
	       kind == CHANNEL_ASK;
}

/* The logs of CHANNEL_REOPEN. */
enum channel_log { CHANNEL_LOG, CHANNEL_ACCESS_LOG, CHANNEL_LOG_MAX };

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

enum channel_result {
	CHANNEL_GONE = -1, /* the other process is dead, or has ended its output */
	CHANNEL_NOTHING,   /* there is no message, or no memory for it at the moment */
	CHANNEL_MESSAGE,
	CHANNEL_STRAY, /* there was a record of another length: it is dropped; more may come */
};

/* Receives a message without waiting, and returns an enum channel_result. *descriptor is -1, or a
 * file descriptor that is the caller's to close, only with CHANNEL_MESSAGE. Where files have run
 * out, the descriptor takes the place of the spare one (spare.h). */
int channel_receive(int channel, struct channel_message *message, int *descriptor);

#endif

/* What master and worker say to each other: fixed records over a SOCK_SEQPACKET pair, so that each
 * message arrives whole or not at all. The end of file means that the other side is dead. */
#ifndef HUBBUB_WORKER_CHANNEL_H
#define HUBBUB_WORKER_CHANNEL_H

#include <stdint.h>

enum channel_kind {
	/* worker to master */
	CHANNEL_READY,   /* this hub's loop runs: listen() on its sockets */
	CHANNEL_DRAINED, /* this hub has accepted all that was queued and closed its listeners */
	/* master to worker */
	CHANNEL_ACCEPT, /* this hub's sockets listen: start to accept */
	CHANNEL_DRAIN,  /* accept what is queued, serve what is open, then leave */
	CHANNEL_STOP,   /* close everything and leave */
	CHANNEL_KIND_MAX
};

struct channel_message {
	uint32_t kind;
	uint32_t hub; /* for messages about one hub */
};

#endif

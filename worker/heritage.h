/* The heritage: all that a worker gets from the master at fork, and all that master/ knows of
 * worker/ besides the counters and the channel. What is not in here, the worker does not have:
 * every other descriptor is closed. */
#ifndef HUBBUB_WORKER_HERITAGE_H
#define HUBBUB_WORKER_HERITAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "hub/io/server.h"
#include "hub/io/tls.h"
#include "hub/scheduler.h"
#include "worker/counters.h"

#define WORKER_NETWORKS_MAX 32

/* Nanoseconds after the master's death after which a worker that does nothing, and has not closed
 * what listens, is killed. */
#define ORPHAN_TIME (5 * HUB_SECOND)

/* The addresses that begin with the same bits: 10.0.0.0/8. */
struct worker_network {
	int family;
	unsigned char bytes[16];
	unsigned bits;
};

/* What operators can set of a worker. The master's options have one, which goes into the heritage
 * as it is. */
struct worker_settings {
	struct hub_options hub;  /* counters left NULL */
	bool pin;                /* each hub's thread to one CPU */
	int64_t idle_timeout;    /* nanoseconds; 0 for none */
	int64_t write_timeout;   /* the same */
	int64_t request_timeout; /* the same */
	int64_t keepalive;       /* the same */
	unsigned loop_limit;     /* answers a second to a peer that answers answers; 0 for any */
	struct hub_tls *tls;     /* of TCP connections; NULL for none; borrowed */
	/* Connections begin with a PROXY header, and come from these networks or by a path. */
	bool has_proxy;
	struct worker_network networks[WORKER_NETWORKS_MAX];
	unsigned network_count;
};

struct worker_heritage {
	/* The service; borrowed for the process's life. */
	void (*serve)(int client, void *context);
	ssize_t (*answer)(struct hub_datagram *datagram, size_t size, void *context); /* or NULL */
	void *context;

	unsigned index;     /* of the worker, from 0 */
	unsigned threads;   /* hubs */
	unsigned addresses; /* sockets per hub */
	const int *sockets; /* [threads * addresses], bound; the worker owns and closes them; -1 for
			       one that is not to be had */
	/* [threads * addresses], or NULL: which sockets a service manager has, too, with what is
	 * queued there. */
	const bool *kept;
	int channel;  /* to the master; see channel.h */
	pid_t master; /* whose death the kernel tells, since a stuck worker hears no channel; or 0 */

	struct counters *counters; /* shared, with the descriptor of their file (counters_file) */
	struct worker_row *rows;   /* this worker's, one per hub */
	int backlog;               /* the longest queue of a listener */
	int64_t capacity;          /* connections that its files allow */
	int64_t drain_timeout;     /* nanoseconds; for a worker whose master is dead */
	struct worker_settings settings;
};

#endif

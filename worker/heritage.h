/* The heritage: all that a worker gets from the master at fork, and, with the counters and the
 * channel, all that master/ knows of worker/. Every file descriptor that is not in here is closed
 * in the worker. */
#ifndef HUBBUB_WORKER_HERITAGE_H
#define HUBBUB_WORKER_HERITAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "hub/io/server.h"
#include "hub/io/tls.h"
#include "hub/scheduler.h"
#include "worker/background.h"
#include "worker/command.h"
#include "worker/counters.h"
#include "worker/hooks.h"
#include "worker/listener.h"
#include "worker/memo.h"
#include "worker/recorders.h"
#include "worker/tally.h"

#define WORKER_NETWORKS_MAX 32

/* Nanoseconds after the master's death until the kernel kills a worker that hangs and still holds
 * its listening sockets. */
#define ORPHAN_TIME (5 * HUB_SECOND)

/* A range of addresses that share their first bits, such as 10.0.0.0/8. */
struct worker_network {
	int family;              /* AF_INET or AF_INET6 */
	unsigned char bytes[16]; /* in network order */
	unsigned bits;           /* how many of them count */
};

/* What operators can set for workers. The master's options embed this struct, and it is copied into
 * the heritage as a whole. */
struct worker_settings {
	struct hub_options hub; /* the worker sets counters */
	bool pin;               /* each hub's thread to one CPU */
	int64_t idle_timeout;   /* nanoseconds; 0 for none, also below */
	int64_t write_timeout;
	int64_t request_timeout;
	int64_t keepalive;
	/* Answers a second to a peer that answers answers; 0 for no limit. */
	unsigned loop_limit;
	struct tally_limits per_peer;
	struct hub_tls *tls; /* for connections; NULL for none; borrowed */
	bool tls_on_unix;    /* for those over Unix sockets, too, not over TCP alone */
	bool has_access_log; /* a line for each connection */
	int access_file;     /* of these lines; 0: they go to the log */
	/* Connections must begin with a PROXY header, and come from these networks or over a Unix
	 * socket. */
	bool has_proxy;
	struct worker_network networks[WORKER_NETWORKS_MAX];
	unsigned network_count;
};

struct worker_heritage {
	/* The service, borrowed for the process's life. serve runs once for each connection, answer
	 * for each datagram; answer may be NULL. Listeners with a name have their own. */
	void (*serve)(int client, void *context);
	ssize_t (*answer)(struct hub_datagram *datagram, size_t size, void *context);
	void *context;
	struct hubbub_hooks hooks;
	const struct hubbub_background *background; /* ended by a row without a name; or NULL */
	const struct hubbub_command *commands;      /* ended by a row without a name; or NULL */
	bool is_reloaded; /* its options were read by a reload or an upgrade */

	unsigned index;     /* of the worker, from 0 */
	unsigned threads;   /* how many hubs the worker has, each with a thread */
	unsigned addresses; /* sockets per hub */
	/* [addresses]: the named listener of each; NULL where it has no name, or for all of them.
	 * Borrowed. */
	const struct hubbub_listener *const *listeners;
	/* [threads * addresses], bound; the worker owns and closes them; -1 for a socket that could
	 * not be had. */
	const int *sockets;
	/* [threads * addresses], or NULL: whether a service manager holds the socket, too, and its
	 * next server serves what is queued there. */
	const bool *kept;
	int channel; /* to the master; see channel.h */
	int output;  /* to be standard output and error (captured.h); 0: they stay what they are */
	/* The kernel signals this process's death, also to a worker too stuck to read the channel;
	 * or 0. */
	pid_t master;

	struct counters *counters; /* the shared segment; segment_file is its descriptor */
	struct worker_row *rows;   /* this worker's rows, one per hub */
	struct worker_memo *memo;  /* this worker's; its master has mapped it, too */
	/* The connections of each peer; NULL if no limit of them has been set so far. Borrowed. */
	struct tally *tally;
	/* Of the flight recorder: its head, and this worker's rings, one per hub, or NULL. */
	const struct recorders_head *recorders;
	struct flight_ring *rings;
	int backlog;           /* the longest queue of a listener, as given to listen(2) */
	int64_t capacity;      /* connections that the limit on open files allows */
	int64_t drain_timeout; /* nanoseconds; used only when the master is dead */
	struct worker_settings settings;
};

#endif

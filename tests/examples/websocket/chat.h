/* The service's context: what operators set, and what a process's hubs share. */
#ifndef WEBSOCKET_CHAT_H
#define WEBSOCKET_CHAT_H

#include <hubbub/server.h>
#include <stddef.h>
#include <stdint.h>

#include "redis.h"
#include "room.h"

/* How far a client's messages go; the path that it asks for says it. */
enum reach { REACH_HUB, REACH_PROCESS, REACH_ALL };

struct chat {
	struct hubbub_list origins; /* of pages that may connect; none: those of this server */
	size_t longest;             /* bytes of a message */
	size_t queue;               /* bytes that wait for a client */
	/* Nanoseconds: of silence until a ping, from there until a client is given up, and for a
	 * closed client to take the rest. */
	int64_t ping;
	int64_t pong;
	int64_t closing;
	struct room room;
	struct redis redis;
};

#endif

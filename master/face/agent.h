/* The agent: each client that connects gets a line that tells what share of new connections this
 * server wants, in the protocol of HAProxy's agent-check:
 *
 *	ready up 80%	it serves; its hubs have that much spare capacity, in steps of ten
 *	ready up 0%	it serves, but has as many connections as the limit allows
 *	down		no worker is ready
 *	drain		it is stopping: open connections go on, new ones should go elsewhere */
#ifndef HUBBUB_FACE_AGENT_H
#define HUBBUB_FACE_AGENT_H

struct agent;
struct master;

/* Makes an agent for a listening socket, which it owns from now on, also on failure. It runs in the
 * master's loop, and accepts nobody before agent_open. NULL after logging that memory ran out. */
struct agent *agent_new(struct master *master, int fd);

/* Starts, or stops, accepting; another master may accept on the same socket meanwhile. agent may be
 * NULL here and below. */
void agent_open(struct agent *agent);
void agent_pause(struct agent *agent);

/* Disconnects all clients, closes the socket, and frees the agent. */
void agent_stop(struct agent *agent);

#endif

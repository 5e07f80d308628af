/* The agent: tells a load balancer, in a line to whoever connects, what share of new connections
 * this server wants (HAProxy's agent-check; its words are HAProxy's):
 *
 *	ready up 80%	it serves; the share is what its hubs are idle of late, in steps of ten
 *	ready up 0%	it serves, but has as many connections as it may
 *	down		no worker is ready
 *	drain		it is stopping: those that are open go on, new ones should go elsewhere */
#ifndef HUBBUB_FACE_AGENT_H
#define HUBBUB_FACE_AGENT_H

struct agent;
struct master;

/* Makes one for a listening socket, which it owns; it answers from agent_open on, from the
 * master's loop. NULL after logging. */
struct agent *agent_new(struct master *master, int fd);

/* Answers, from now on or again; and ceases to, as long as another master does, on the same
 * socket. NULL is ignored, as by the others. */
void agent_open(struct agent *agent);
void agent_pause(struct agent *agent);

void agent_stop(struct agent *agent);

#endif

/* The agent: tells a load balancer, in a line to whoever connects, what share of new connections this server wants
 * (HAProxy's agent-check; its words are HAProxy's):
 *
 *	ready up 80%	it serves; the share is what its hubs are idle of late, in steps of ten
 *	ready up 0%	it serves, but has as many connections as it may
 *	down		no worker is ready
 *	drain		it is stopping: those that are open go on, new ones should go elsewhere */
#ifndef HUBBUB_MASTER_AGENT_H
#define HUBBUB_MASTER_AGENT_H

struct agent;
struct master;

/* Answers on a listening socket, which it owns, from the master's loop. NULL after logging. */
struct agent *agent_start(struct master *master, int fd);

/* Ceases to, as long as another master does, on the same socket; and answers again. NULL is ignored, as by the others. */
void agent_pause(struct agent *agent);
void agent_resume(struct agent *agent);

int agent_fd(const struct agent *agent);
void agent_stop(struct agent *agent);

#endif

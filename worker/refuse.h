/* Connections that are not served: the server refuses them, or their peer leaves before there is
 * anything to serve. */
#ifndef HUBBUB_WORKER_REFUSE_H
#define HUBBUB_WORKER_REFUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct listened;
struct worker_thread;

/* Counts a refusal, also for its listener, and logs it unless another line was logged in the last
 * second. why is a phrase; address is the peer's, with family AF_UNSPEC if it is unknown. Does
 * nothing while the thread ends its connections. */
void refuse(const struct worker_thread *thread, uint64_t *counter, struct listened *listener,
	const struct sockaddr_storage *address, const char *why);

/* The same, with the address of the client: the one that a PROXY header has named, or else the
 * connection's peer. */
void refuse_client(const struct worker_thread *thread, uint64_t *counter, struct listened *listener,
	int client, const char *why);

/* Whether the peer has left by itself: the connection was reset, or, unless has_spoken, the peer
 * has ended it without a byte. Load balancers' health checks and port scanners do so. */
bool has_left(int client, bool has_spoken);

#endif

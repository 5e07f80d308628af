/* Connections that are not served: those that the server refuses, and those whose peer has left
 * before there was anything to serve. */
#ifndef HUBBUB_WORKER_REFUSE_H
#define HUBBUB_WORKER_REFUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct worker_thread;

/* Counts a refusal, and logs it, at most one a second; why is a phrase, and address the peer's, of
 * family AF_UNSPEC if that is not known. Nothing is counted while the thread ends its connections,
 * which then are no offenders. */
void refuse(const struct worker_thread *thread, uint64_t *counter,
	const struct sockaddr_storage *address, const char *why);

/* The same of a connection's peer, as the kernel knows it. */
void refuse_client(
	const struct worker_thread *thread, uint64_t *counter, int client, const char *why);

/* Whether the peer has gone by itself: the connection was reset, or, if it has said nothing, ended.
 * So do health checks of balancers, and who scans ports. */
bool has_left(int client, bool has_spoken);

#endif

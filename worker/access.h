/* The access log: a line for each connection that has ended (--access-log). */
#ifndef HUBBUB_WORKER_ACCESS_H
#define HUBBUB_WORKER_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/io/traffic.h"
#include "worker/client.h"

struct fd_opening;
struct worker_heritage;

/* What has ended a connection. What the worker does to end one is the note of its mark
 * (hub_server_visit), which is 0 at first. */
enum access_end {
	ACCESS_SERVICE,
	ACCESS_PEER, /* by the end of its output, or by a reset */
	ACCESS_REFUSED,
	ACCESS_IDLE_TIMEOUT,
	ACCESS_REQUEST_TIMEOUT,
	ACCESS_WRITE_TIMEOUT,
	ACCESS_DRAIN,
	ACCESS_DEADLINE, /* of the drain */
	ACCESS_END_MAX
};

/* One connection; on the stack of its coroutine. */
struct access {
	char client[CLIENT_NAME_SIZE];
	char listener[CLIENT_NAME_SIZE];
	int64_t began;
	enum access_end end;
	uint64_t received; /* bytes on the wire */
	bool is_unix;
	struct traffic traffic; /* of a Unix socket */
};

/* A connection begins, whose client is that of hubbub_peer. The record stays where it is until
 * access_log, or until the descriptor is closed. Switches: no. */
void access_begin(struct access *access, int client);

/* A PROXY header has named the client. access may be NULL. */
void access_name(struct access *access, int client);

/* The service has returned, or, if it is refused, was not called: looks what has ended the
 * connection, before its output is ended. Switches: no. */
void access_look(
	struct access *access, int client, const struct fd_opening *opening, bool is_refused);

/* The connection has ended, and is about to be closed: logs its line, in the log or in the file of
 * its own. Switches: no. */
void access_log(const struct access *access, int client, const struct fd_opening *opening,
	const struct worker_heritage *heritage);

/* The master has opened the access log again: lines go to that file, which stays the caller's. Does
 * nothing if they go to the log. Returns false if they go on in the former file. */
bool access_reopen(const struct worker_heritage *heritage, int file);

#endif

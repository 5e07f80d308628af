/* What must add up at the end of a server. */
#ifndef HUBBUB_TESTS_SIM_WORKER_ACCOUNT_H
#define HUBBUB_TESTS_SIM_WORKER_ACCOUNT_H

#include "tests/sim/worker/server.h"

/* Whether no hub has an open connection. */
bool account_are_closed(const struct counters *counters);

/* After the last worker has gone. has_died: the master has, and does not know what its workers did
 * with their permits. Returns NULL, or what does not add up. */
const char *account_check(const struct counters *counters, const struct worker_row *total,
	const struct server_shape *shape, bool has_died);

/* What must hold of the connections of clients on this machine, as they were counted per peer.
 * Returns NULL, or what is wrong. */
const char *account_check_peers(const struct tally *tally, const struct worker_row *total);

#endif

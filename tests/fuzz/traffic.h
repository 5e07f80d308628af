/* Bytes over connections of random programs, each of which tells its connection and direction. */
#ifndef HUBBUB_TESTS_TRAFFIC_H
#define HUBBUB_TESTS_TRAFFIC_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/fuzz/connections.h"

/* Sends into one of the ends by one of the calls; does nothing if the connection is not ready.
 * Switches: yes. */
void traffic_send(struct connection *place);
void traffic_send_file(struct connection *place);

/* Receives from one of the ends, and judges the bytes. Switches: yes. */
void traffic_receive(struct connection *place);

/* Complains about bytes that came out of an end and were not sent into the other. Returns whether
 * CONNECTION_LAST is among them. */
bool traffic_judge(
	const struct connection *own, int end, const unsigned char *bytes, ssize_t count);

/* Complains about an errno that no call may fail with here. */
void traffic_expect_error(const char *what);

#endif

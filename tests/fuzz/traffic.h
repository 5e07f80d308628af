/* Bytes over connections of random programs, which tell whose they are. */
#ifndef HUBBUB_TESTS_TRAFFIC_H
#define HUBBUB_TESTS_TRAFFIC_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/fuzz/connections.h"

/* Sends into one of the ends by one of the calls; nothing where it is not ready. Switches: yes. */
void traffic_send(struct connection *place);
void traffic_send_file(struct connection *place);

/* Receives, and judges. Switches: yes. */
void traffic_receive(struct connection *place);

/* Complains of bytes that came out of an end and were not put into the other one. Returns whether
 * the last one is among them. */
bool traffic_judge(
	const struct connection *own, int end, const unsigned char *bytes, ssize_t count);

/* Complains of an errno that no call may have here. */
void traffic_expect_error(const char *what);

#endif

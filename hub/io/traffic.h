/* The bytes that go over one descriptor, by the hub's calls and those of hub/patch; with TLS they
 * are those on the wire. Of a TCP socket the kernel counts them (TCP_INFO); this is for others. */
#ifndef HUBBUB_IO_TRAFFIC_H
#define HUBBUB_IO_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/inside.h"

struct traffic {
	uint64_t received;
	uint64_t sent; /* that the kernel has taken */
};

/* From now on adds what goes over fd to *traffic, which is the caller's: until fd leaves this
 * thread's hub, by a close or a release, or traffic_end. Returns 0, or -1 with errno EBADF or
 * ENOMEM. Switches: no. */
int traffic_begin(int fd, struct traffic *traffic) HUB_INSIDE(traffic_begin);

/* Ends it. Returns whether all was counted until now: not if fd has left the hub. Switches: no. */
bool traffic_end(int fd, const struct traffic *traffic) HUB_INSIDE(traffic_end);

/* So much was received, or sent, by a call that is not the hub's own: hub_note_received, which also
 * counts. Switches: no. */
void traffic_received(int fd, size_t bytes) HUB_INSIDE(traffic_received);
void traffic_sent(int fd, size_t bytes) HUB_INSIDE(traffic_sent);

#endif

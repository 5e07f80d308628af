/* The pid comes from SO_PEERCRED, which names the process that called listen. From the pidfd on,
 * that process cannot be mistaken for another that gets its pid. */
#include "master/ctl/peer.h"

#include <errno.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

struct peer
peer_of(int fd)
{
	struct ucred credentials;
	socklen_t length = sizeof credentials;
	struct peer peer = {.pidfd = -1};

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
		credentials.pid <= 0)
		return peer;
	peer.pid = credentials.pid;
	peer.pidfd = pidfd_open(peer.pid, 0);
	/* ESRCH: the process that called listen is dead, and another one has inherited its
	 * socket. */
	if (peer.pidfd == -1 && errno == ESRCH)
		peer.pid = 0;
	return peer;
}

bool
peer_ends(const struct peer *peer, int milliseconds)
{
	struct pollfd query = {.fd = peer->pidfd, .events = POLLIN};
	int ready;

	if (peer->pidfd == -1)
		return false;
	do
		ready = poll(&query, 1, milliseconds);
	while (ready == -1 && errno == EINTR);
	return ready == 1;
}

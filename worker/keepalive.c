/* Over a cut link nothing arrives, not even an end. TCP keepalive makes the kernel probe silent
 * peers; TCP_USER_TIMEOUT makes it give up on bytes that are not acknowledged. Accepted sockets
 * inherit both from the listener, so an accept costs nothing more. Each worker sets them on its own
 * listeners, so a reload changes them, and activated sockets have them, too.
 *
 * TCP_USER_TIMEOUT also gives up a peer that answers but has closed its window: so it is never
 * shorter than the write timeout, and unset where there is no write timeout. Then the kernel
 * retries what is sent into a cut link for as long as net.ipv4.tcp_retries2 says. */
#include "worker/keepalive.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"

/* After silence for half of the time, PROBES probes fill the other half. */
#define PROBES 4

static void
set(int listener, int level, int option, int value)
{
	if (setsockopt(listener, level, option, &value, sizeof value) != 0)
		log_warning("cannot set keepalive of connections (socket option %d): %s", option,
			strerror(errno));
}

/* In whole seconds: at least one, at most what the kernel accepts. */
static int
seconds(int64_t nanoseconds)
{
	int64_t rounded = nanoseconds / CLOCK_SECOND;

	return rounded < 1 ? 1 : rounded > INT16_MAX ? INT16_MAX : (int)rounded;
}

void
keepalive_set(int listener, const struct worker_settings *settings)
{
	int64_t time = settings->keepalive, longer = 0;
	int protocol = 0;
	socklen_t length = sizeof protocol;

	CHECK(time >= 0 && settings->write_timeout >= 0);
	if (getsockopt(listener, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0 ||
		protocol != IPPROTO_TCP)
		return;
	if (time > 0 && settings->write_timeout > 0)
		longer = time > settings->write_timeout ? time : settings->write_timeout;
	set(listener, IPPROTO_TCP, TCP_USER_TIMEOUT,
		longer / CLOCK_MILLISECOND < INT32_MAX ? (int)(longer / CLOCK_MILLISECOND)
						       : INT32_MAX);
	set(listener, SOL_SOCKET, SO_KEEPALIVE, time > 0);
	if (time == 0)
		return;
	set(listener, IPPROTO_TCP, TCP_KEEPIDLE, seconds(time / 2));
	set(listener, IPPROTO_TCP, TCP_KEEPINTVL, seconds(time / 2 / PROBES));
	set(listener, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}

/* Opens one connection: a turn by the connect rate, a socket with its options, a source address,
 * connect, a PROXY header, TLS. All of it together is limited by --connect-timeout, but for the
 * turn. With several source addresses one that has no ports left is skipped. */
#include "tests/load/drive/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "tests/load/ask/target.h"
#include "tests/load/drive/driver.h"
#include "tests/load/drive/proxy_header.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* Waits until the connect rate allows one more connection. Returns 0, or -1 with errno. */
static int
wait_for_turn(struct driver *driver)
{
	int64_t now = clock_now(), at = driver->next_connect > now ? driver->next_connect : now;
	double share = (double)driver->load->connect_rate / driver->segment->rows;

	/* A default of the generator must not slow a churn down that the server could keep up
	 * with. */
	if (driver->start != 0 && !driver->load->limits_reconnects)
		return 0;
	driver->next_connect = at + (int64_t)(1e9 / share);
	/* A sleep is exact to a millisecond: shorter ones would add up to a lower rate. */
	if (at - now < CLOCK_MILLISECOND)
		return 0;
	if (driver->start != 0)
		tally_add(&driver->row->tally.delayed, 1);
	return hub_sleep(at - now);
}

static void
set_up(const struct load *load, enum address_kind kind, int fd)
{
	const int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	int on = 1;

	if (load->nodelay && kind == ADDRESS_TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (load->kernel_times)
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps);
	if (load->send_buffer > 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &load->send_buffer, sizeof(int));
	if (load->receive_buffer > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &load->receive_buffer, sizeof(int));
}

/* IP_BIND_ADDRESS_NO_PORT: the kernel chooses the port at connect, when it knows the target, so
 * that each pair of addresses has all ports. */
static int
bind_source(struct driver *driver, int fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const struct load *load = driver->load;
	int on = 1;

	if (load->source_count == 0)
		return 0;
	address.sin_addr =
		load->sources[(driver->index + driver->next_source++) % load->source_count];
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	return bind(fd, (struct sockaddr *)&address, sizeof address);
}

/* On loopback, a connect to a port without a listener may be given that very port as its source,
 * and succeed. */
static bool
is_connected_to_itself(int fd)
{
	struct sockaddr_storage own, peer;
	socklen_t own_length = sizeof own, peer_length = sizeof peer;

	memset(&own, 0, sizeof own);
	memset(&peer, 0, sizeof peer);
	return getsockname(fd, (struct sockaddr *)&own, &own_length) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_length) == 0 &&
	       own_length == peer_length && memcmp(&own, &peer, own_length) == 0;
}

_Static_assert(SEGMENT_PROTOCOLS_MAX == LOAD_ALPN_MAX + 1, "a count for each of --alpn, and none");

/* Counts on which protocol the handshake has agreed. */
static void
count_protocol(struct driver *driver, int fd)
{
	const char *const *alpn = driver->load->alpn, *protocol = hub_tls_protocol(fd);
	unsigned which = 0;

	if (alpn[0] == NULL)
		return;
	if (protocol != NULL)
		while (alpn[which++] != protocol)
			;
	tally_add(&driver->row->tally.agreed[which], 1);
}

/* Performs the TLS handshake; the first failure is kept in words, unless it is the end of the run.
 * Returns 0, or an errno. */
static int
begin_tls(struct driver *driver, unsigned target, int fd)
{
	int error;

	if (hub_tls_connect(fd, driver->load->tls, target_tls_name(driver->load, target)) == 0) {
		count_protocol(driver, fd);
		return 0;
	}
	error = errno;
	if (error != ECANCELED && driver->row->refusal[0] == '\0')
		snprintf(driver->row->refusal, sizeof driver->row->refusal,
			"a TLS handshake failed: %s", target_why_no_tls(error));
	return error;
}

/* Returns a connected file descriptor, or -1 with errno. */
static int
dial_once(struct driver *driver, unsigned index)
{
	const struct address *target = &driver->load->targets[index];
	struct hub_timeout scope;
	int fd = hub_socket(target->socket.ss_family,
		    target->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM, 0),
	    error = 0;
	int64_t began = clock_now();

	if (fd == -1)
		return -1;
	set_up(driver->load, target->kind, fd);
	if (target->kind != ADDRESS_UNIX && bind_source(driver, fd) != 0)
		error = errno;
	hub_timeout_start(&scope, driver->load->connect_timeout);
	if (error == 0 &&
		hub_connect(fd, (const struct sockaddr *)&target->socket, target->length) != 0)
		error = errno;
	if (error == 0 && target->kind != ADDRESS_UNIX && is_connected_to_itself(fd))
		error = ECONNREFUSED;
	if (error == 0 && proxy_header_send(driver->load, fd, target, driver_client(driver)) != 0)
		error = errno;
	if (error == 0 && driver->load->tls != NULL)
		error = begin_tls(driver, index, fd);
	if (hub_timeout_stop(&scope) && error != 0)
		error = ETIMEDOUT;
	if (error == 0) {
		histogram_record(&driver->row->connect, clock_now() - began);
		return fd;
	}
	hub_close(fd);
	errno = error;
	return -1;
}

int
dial(struct driver *driver, unsigned index)
{
	int fd, error;

	if (wait_for_turn(driver) != 0)
		return -1;
	for (unsigned tries = driver->load->source_count;; tries--) {
		fd = dial_once(driver, index % driver->load->target_count);
		if (fd != -1)
			return fd;
		/* This source address has no port left; the next one may. */
		if (errno != EADDRNOTAVAIL || tries <= 1)
			break;
	}
	error = errno;
	if (!driver->is_ending && error > 0 && error < SEGMENT_ERRNO_MAX)
		tally_add(&driver->row->tally.errors[SEGMENT_CONNECT][error], 1);
	errno = error;
	return -1;
}

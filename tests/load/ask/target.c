/* Tries the addresses of a name in turn, each with a blocking connect of at most a second. For
 * datagrams a connect proves nothing, so a byte is exchanged. Source addresses are IPv4: with
 * --source an IPv6 address is out of the question, but kept if there is nothing else. */
#include "tests/load/ask/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "hub/base/clock.h"

#define PATIENCE CLOCK_SECOND /* for one address */

/* Whether a server listens at a datagram address shows only in a reply, or in the kernel's
 * ECONNREFUSED. */
static int
exchange(int fd)
{
	char byte = '0';

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) >= 0 ? 0 : errno;
}

/* Whether the address answers, within the connect timeout, and at most PATIENCE. Returns 0, or an
 * errno. */
static int
ask(const struct load *load, const struct address *address)
{
	int64_t limit = load->connect_timeout < PATIENCE ? load->connect_timeout : PATIENCE;
	struct timeval patience = {limit / CLOCK_SECOND, limit % CLOCK_SECOND / CLOCK_MICROSECOND};
	bool is_datagrams = address->kind == ADDRESS_UDP;
	int error = 0, fd;

	/* Source addresses are IPv4. */
	if (load->source_count > 0 && address->socket.ss_family != AF_INET)
		return EAFNOSUPPORT;
	fd = socket(address->socket.ss_family,
		(is_datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address->socket, address->length) != 0)
		error = errno;
	else if (is_datagrams)
		error = exchange(fd);
	close(fd);
	/* With SO_SNDTIMEO or SO_RCVTIMEO the kernel reports a timeout by these. */
	return error == EINPROGRESS || error == EAGAIN ? ETIMEDOUT : error;
}

static void
choose(struct load *load, unsigned index)
{
	struct address addresses[ADDRESSES_MAX];
	int errors[ADDRESSES_MAX];
	const char *name = load->tls_name[index], *why;
	char text[ADDRESS_TEXT_SIZE * 4], address[ADDRESS_TEXT_SIZE];
	size_t count, at = 0;

	snprintf(text, sizeof text, "%s:%u", name, address_port(&load->targets[index]));
	count = address_parse(text, addresses, &why);
	while (at < count && (errors[at] = ask(load, &addresses[at])) != 0)
		at++;
	for (size_t i = 0; i < at && at < count; i++) {
		address_format(&addresses[i], address);
		fprintf(stderr, "hubbub-load: %s (%s): %s; trying its next address\n", address,
			name, strerror(errors[i]));
	}
	/* If none answers, the run reports that, of the first address that it could use. */
	if (at == count)
		for (at = 0; at < count && errors[at] == EAFNOSUPPORT;)
			at++;
	if (at == count)
		return;
	load->targets[index] = addresses[at];
	address_format(&load->targets[index], load->target_text[index]);
}

void
target_choose(struct load *load)
{
	for (unsigned i = 0; i < load->target_count; i++)
		if (load->targets[i].is_alternative)
			choose(load, i);
}

const char *
target_tls_name(const struct load *load, unsigned index)
{
	return load->targets[index].kind == ADDRESS_UNIX ? NULL : load->tls_name[index];
}

const char *
target_why_no_tls(int error)
{
	static _Thread_local char text[300];
	const char *why = error == ETIMEDOUT ? "no handshake in time" : hub_tls_why();
	const char *hint = "; does it speak TLS?";

	if (strstr(why, "certificate") != NULL)
		hint = "";
	else if (strstr(why, "no application protocol") != NULL)
		hint = "; it speaks none that is offered: see --alpn";
	snprintf(text, sizeof text, "%s%s", why, hint);
	return text;
}

const char *
target_hint(int error)
{
	/* ENOENT: the path of a Unix socket is missing. */
	return error == ECONNREFUSED || error == ENOENT ? "; does the server run, and listen there?"
							: "";
}

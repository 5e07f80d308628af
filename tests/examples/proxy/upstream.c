/* Connecting to the server behind the proxy. The addresses of its name are tried one after the
 * other, each with a deadline of its own, and a place among the worker's connections is taken
 * before and given back after. */
#include "upstream.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "metrics.h"

static _Atomic unsigned taken; /* places, by all hubs of this worker */

const char *
upstream_parse(const char *text, struct upstream *upstream)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : 0;
	bool is_bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';

	if (length == 0 || colon[1] == '\0' || length >= sizeof upstream->host ||
		strlen(colon + 1) >= sizeof upstream->port ||
		(!is_bracketed && memchr(text, ':', length) != NULL))
		return "HOST:PORT, or [ADDRESS]:PORT for IPv6";
	snprintf(upstream->host, sizeof upstream->host, "%.*s",
		(int)(is_bracketed ? length - 2 : length), is_bracketed ? text + 1 : text);
	snprintf(upstream->port, sizeof upstream->port, "%s", colon + 1);
	return NULL;
}

static bool
take_place(unsigned most)
{
	if (atomic_fetch_add(&taken, 1) < most || most == 0)
		return true;
	atomic_fetch_sub(&taken, 1);
	hubbub_count(PROXY_REFUSED, 1);
	hubbub_log(HUBBUB_WARNING, "a client is refused: all connections are taken most=%u", most);
	return false;
}

/* Closes fd, and keeps errno. Returns -1. */
static int
give_up(int fd)
{
	int error = errno;

	hub_close(fd);
	errno = error;
	return -1;
}

static int
connect_to(const struct addrinfo *address, int64_t patience)
{
	int fd = hub_socket(address->ai_family, SOCK_STREAM, address->ai_protocol);
	static const int on = 1;
	struct hub_timeout scope;
	int result;

	if (fd == -1)
		return -1;
	/* Nothing that a client has sent waits for more. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	hub_timeout_start(&scope, patience);
	result = hub_connect(fd, address->ai_addr, address->ai_addrlen);
	hub_timeout_stop(&scope);
	return result == 0 ? fd : give_up(fd);
}

static void
complain(const struct upstream *upstream, const struct addrinfo *address, const char *why)
{
	char numeric[NI_MAXHOST] = "";

	if (address != NULL)
		getnameinfo(address->ai_addr, address->ai_addrlen, numeric, sizeof numeric, NULL, 0,
			NI_NUMERICHOST);
	hubbub_count(PROXY_FAILED, 1);
	hubbub_log(HUBBUB_ERROR, "cannot connect host=%s port=%s address=%s error=%s",
		upstream->host, upstream->port, numeric, why);
}

static int
connect_to_any(const struct upstream *upstream)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
	int error = hub_getaddrinfo(upstream->host, upstream->port, &hints, &addresses);
	int fd = -1;

	if (error != 0) {
		complain(upstream, NULL,
			error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return -1;
	}
	for (const struct addrinfo *each = addresses; each != NULL && fd == -1;
		each = each->ai_next) {
		fd = connect_to(each, upstream->patience);
		if (fd == -1 && errno == ECANCELED)
			break; /* the server ends */
		if (fd == -1)
			complain(upstream, each, strerror(errno));
	}
	hub_freeaddrinfo(addresses);
	return fd;
}

int
upstream_connect(const struct upstream *upstream)
{
	int fd;

	if (!take_place(upstream->most))
		return -1;
	fd = connect_to_any(upstream);
	if (fd == -1)
		atomic_fetch_sub(&taken, 1);
	else
		hubbub_gauge_add(PROXY_OPEN, 1);
	return fd;
}

void
upstream_close(int fd)
{
	hub_close(fd);
	hubbub_gauge_add(PROXY_OPEN, -1);
	atomic_fetch_sub(&taken, 1);
}

/* Connecting to a name races attempts in a nursery (RFC 8305): each runs in a coroutine of its own,
 * the first that connects wins, and the nursery cancels the others. Listening at a name tries its
 * addresses in order. Each socket that is made is returned or closed here. */
#include "hub/io/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/fd.h"
#include "hub/io/resolve.h"
#include "hub/io/socket.h"
#include "hub/scheduler.h"
#include "hub/select.h"
#include "hub/sync/event.h"
#include "hub/sync/nursery.h"

#define BACKLOG_DEFAULT 4096
/* RFC 8305, section 5: the recommended delay between attempts. */
#define HEAD_START (250 * HUB_MILLISECOND)

/* ---- looking up ---- */

/* getaddrinfo(3), with its errors as an errno. Returns 0, or -1 and errno. */
static int
look_up(const char *host, const char *service, int flags, struct addrinfo **result)
{
	struct addrinfo hints = {.ai_flags = flags, .ai_socktype = SOCK_STREAM};
	int error = hub_getaddrinfo(host, service, &hints, result);

	switch (error) {
	case 0:
		return 0;
	case EAI_SYSTEM:
		return -1;
	case EAI_MEMORY:
		return failed(ENOMEM);
	case EAI_AGAIN:
		return failed(EAGAIN);
	default:
		return failed(ENOENT);
	}
}

/* The addresses, with families alternating, beginning with the family of the first; the caller
 * frees the array. NULL with errno. */
static const struct addrinfo **
alternate(const struct addrinfo *all, size_t *number)
{
	const struct addrinfo *next[2] = {all, all}, **sorted;
	size_t count = 0;

	for (const struct addrinfo *each = all; each != NULL; each = each->ai_next)
		count++;
	sorted = malloc(count * sizeof *sorted);
	if (sorted == NULL)
		return NULL;
	*number = count;
	count = 0;
	for (int family = 0; next[0] != NULL || next[1] != NULL; family = !family) {
		bool is_first_family = family == 0;

		while (next[family] != NULL &&
			(next[family]->ai_family == all->ai_family) != is_first_family)
			next[family] = next[family]->ai_next;
		if (next[family] == NULL)
			continue;
		sorted[count++] = next[family];
		next[family] = next[family]->ai_next;
	}
	CHECK(count == *number);
	return sorted;
}

/* ---- connecting ---- */

/* Connects one socket. Returns the fd, or -1 and errno, with the socket closed. */
static int
connect_to(const struct addrinfo *address)
{
	int fd = hub_socket(address->ai_family, SOCK_STREAM, address->ai_protocol);
	int error;

	if (fd == -1)
		return -1;
	if (hub_connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	error = errno;
	hub_close(fd);
	return failed(error);
}

struct race {
	const struct addrinfo *next; /* the address of the attempt that is about to start */
	struct hub_event changed;
	size_t running;
	int winner; /* the connected fd; -1 before there is one */
	int error;  /* of the last attempt that failed */
};

/* One attempt, in a coroutine of its own. It closes its socket if another attempt has won. */
static void *
attempt(void *argument)
{
	struct race *race = argument;
	int fd = connect_to(race->next);

	CHECK(race->running > 0);
	race->running--;
	if (fd == -1)
		race->error = errno;
	else if (race->winner == -1)
		race->winner = fd;
	else
		hub_close(fd);
	hub_event_set(&race->changed);
	return NULL;
}

/* Starts attempts until one has won, all have failed, or the caller is interrupted. Returns 0, or
 * an errno. */
static int
run_race(struct race *race, const struct addrinfo **addresses, size_t count,
	struct hub_nursery *nursery)
{
	size_t started = 0;

	while (race->winner == -1 && (started < count || race->running > 0)) {
		struct hub_case change = hub_case_event(&race->changed);
		int64_t patience = HUB_FOREVER;

		if (started < count) {
			race->next = addresses[started++];
			hub_event_clear(&race->changed);
			if (hub_nursery_spawn(nursery, attempt, race) == NULL)
				return errno;
			race->running++;
			if (started < count)
				patience = HEAD_START;
		} else {
			hub_event_clear(&race->changed);
		}
		if (hub_select(&change, 1, patience) == -1 && errno != EAGAIN)
			return errno;
	}
	return race->winner != -1 ? 0 : race->error;
}

/* Runs the race, and ends all other attempts before it returns. */
static int
connect_first(const struct addrinfo **addresses, size_t count)
{
	struct race race = {.winner = -1};
	struct hub_nursery nursery;
	int error;

	hub_nursery_open(&nursery);
	error = run_race(&race, addresses, count, &nursery);
	hub_nursery_cancel(&nursery);
	hub_nursery_close(&nursery);
	CHECK(error != 0 || race.winner != -1);
	if (error == 0)
		return race.winner;
	/* The caller was interrupted, but an attempt may have connected just before. */
	if (race.winner != -1)
		hub_close(race.winner);
	return failed(error);
}

int
hub_create_connection(const char *host, const char *service)
{
	const struct addrinfo **sorted;
	struct addrinfo *addresses;
	size_t count;
	int fd = -1, error;

	if (look_up(host, service, 0, &addresses) != 0)
		return -1;
	sorted = alternate(addresses, &count);
	if (sorted != NULL)
		fd = count == 1 ? connect_to(sorted[0]) : connect_first(sorted, count);
	error = errno;
	free(sorted);
	hub_freeaddrinfo(addresses);
	errno = error;
	return fd;
}

/* ---- listening ---- */

/* Makes a listening socket at one address; is_any: an IPv6 one takes IPv4 connections, too. Returns
 * the fd, or -1 and errno. */
static int
listen_at(const struct addrinfo *address, bool is_any, int backlog)
{
	static const int on = 1, off = 0;
	int fd = hub_socket(address->ai_family, SOCK_STREAM, address->ai_protocol);
	int error;

	if (fd == -1)
		return -1;
	kernel_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (address->ai_family == AF_INET6)
		kernel_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_any ? &off : &on, sizeof on);
	if (kernel_bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
		kernel_listen(fd, backlog > 0 ? backlog : BACKLOG_DEFAULT) == 0)
		return fd;
	error = errno;
	hub_close(fd);
	return failed(error);
}

/* Listens on all addresses: by an IPv6 socket, which takes IPv4 connections, too, else by an IPv4
 * one. */
static int
listen_anywhere(const struct addrinfo *addresses, int backlog)
{
	static const int families[] = {AF_INET6, AF_INET};

	for (size_t i = 0; i < 2; i++)
		for (const struct addrinfo *each = addresses; each != NULL; each = each->ai_next) {
			int fd = -1;

			if (each->ai_family == families[i])
				fd = listen_at(each, true, backlog);
			if (fd != -1 || errno == EADDRINUSE)
				return fd;
		}
	return -1;
}

/* Listens on the first address that this machine has. If that is in use, the next one is not
 * tried. */
static int
listen_at_first(const struct addrinfo *addresses, int backlog)
{
	for (const struct addrinfo *each = addresses; each != NULL; each = each->ai_next) {
		int fd = listen_at(each, false, backlog);

		if (fd != -1 || (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT))
			return fd;
	}
	return -1;
}

int
hub_create_server(const char *host, const char *service, int backlog)
{
	struct addrinfo *addresses;
	int fd, error;

	if (look_up(host, service, AI_PASSIVE, &addresses) != 0)
		return -1;
	errno = 0;
	fd = host == NULL ? listen_anywhere(addresses, backlog)
			  : listen_at_first(addresses, backlog);
	error = errno;
	hub_freeaddrinfo(addresses);
	errno = error;
	return fd;
}

/* Listeners are a short list: a world has few. Ports are given in turn, so a port that was free a
 * moment ago is not given again at once. */
#include "sim/kernel/name_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/failed.h"
#include "sim/kernel/file_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

#define FIRST_PORT 32768
#define PORTS 28232
#define LISTENERS 256

static struct {
	struct {
		const struct name *name;
		struct file *file;
	} listeners[LISTENERS];
	int count;
	unsigned given; /* ports ever */
} names;

void
names_begin(void)
{
	names.count = 0;
	names.given = 0;
}

/* ---- addresses ---- */

static bool
is_any_host(const struct name *name)
{
	static const unsigned char any[sizeof name->host];

	return memcmp(name->host, any, sizeof any) == 0;
}

static bool
is_loopback(const struct name *name)
{
	static const unsigned char loopback[sizeof name->host] = {[15] = 1};

	return name->family == AF_INET ? name->host[0] == 127
				       : memcmp(name->host, loopback, sizeof loopback) == 0;
}

/* Each host has the addresses of loopback, and two of its own. */
static void
find_host(struct name *name)
{
	if (!is_any_host(name) && !is_loopback(name))
		name->on = host_at(name->family, name->host);
}

int
name_read(struct name *name, int family, const struct sockaddr *address, socklen_t length)
{
	*name = (struct name){.family = family, .on = fiber_host()};
	if (length < sizeof(sa_family_t))
		return failed(EINVAL);
	if (address->sa_family != family)
		return failed(EAFNOSUPPORT);
	if (family == AF_INET && length >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;

		name->port = v4->sin_port;
		memcpy(name->host, &v4->sin_addr, sizeof v4->sin_addr);
		find_host(name);
		return 0;
	}
	if (family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;

		name->port = v6->sin6_port;
		memcpy(name->host, &v6->sin6_addr, sizeof v6->sin6_addr);
		find_host(name);
		return 0;
	}
	if (family == AF_UNIX) {
		const struct sockaddr_un *path = (const struct sockaddr_un *)(const void *)address;

		name->path_length = length - sizeof(sa_family_t);
		if (name->path_length > sizeof name->path)
			return failed(EINVAL);
		memcpy(name->path, path->sun_path, name->path_length);
		/* Behind the end of a path nothing counts. */
		if (name->path_length != 0 && name->path[0] != '\0')
			name->path_length = strnlen(name->path, name->path_length);
		return 0;
	}
	return failed(EINVAL);
}

void
name_write(const struct name *name, struct sockaddr *address, socklen_t *length)
{
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un path;
	} whole;
	socklen_t size = sizeof whole.v4;

	memset(&whole, 0, sizeof whole);
	whole.v4.sin_family = (sa_family_t)name->family;
	if (name->family == AF_INET) {
		whole.v4.sin_port = name->port;
		memcpy(&whole.v4.sin_addr, name->host, sizeof whole.v4.sin_addr);
	} else if (name->family == AF_INET6) {
		size = sizeof whole.v6;
		whole.v6.sin6_port = name->port;
		memcpy(&whole.v6.sin6_addr, name->host, sizeof whole.v6.sin6_addr);
	} else {
		size = (socklen_t)(sizeof(sa_family_t) + name->path_length +
				   (name->path[0] != '\0'));
		memcpy(whole.path.sun_path, name->path, name->path_length);
	}
	memcpy(address, &whole, *length < size ? *length : size);
	*length = size;
}

/* ---- who listens ---- */

/* A listener of all hosts by IPv6 has the clients by IPv4, too. */
static bool
takes_both(const struct name *name, const struct file *file)
{
	return name->family == AF_INET6 && !file->is_v6only && is_any_host(name);
}

static bool
is_same(const struct name *one, const struct name *other)
{
	if (one->family != other->family || one->on != other->on)
		return false;
	if (one->family == AF_UNIX)
		return one->path_length != 0 && one->path_length == other->path_length &&
		       memcmp(one->path, other->path, one->path_length) == 0;
	return one->port == other->port &&
	       (is_any_host(one) || is_any_host(other) ||
		       memcmp(one->host, other->host, sizeof one->host) == 0);
}

static bool
is_there(int at, const struct name *name)
{
	const struct name *listener = names.listeners[at].name;

	return is_same(listener, name) ||
	       (name->family == AF_INET && listener->port == name->port &&
		       listener->on == name->on && takes_both(listener, names.listeners[at].file));
}

static int
count_there(const struct name *name)
{
	int count = 0;

	for (int i = 0; i < names.count; i++)
		count += is_there(i, name);
	return count;
}

struct file *
name_find(const struct name *name)
{
	int skipped = (int)world_draw((uint64_t)count_there(name));

	for (int i = 0; i < names.count; i++)
		if (is_there(i, name) && skipped-- == 0)
			return names.listeners[i].file;
	return NULL;
}

struct file *
name_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct name name;

	if (strlen(path) >= sizeof address.sun_path)
		return NULL;
	strcpy(address.sun_path, path);
	name_read(&name, AF_UNIX, (struct sockaddr *)&address, sizeof address);
	return name_find(&name);
}

/* Whether all who listen there are of one group with the file. */
static bool
may_join(const struct name *name, const struct file *file)
{
	for (int i = 0; i < names.count; i++)
		if (is_there(i, name) &&
			!(file->is_in_group && names.listeners[i].file->is_in_group))
			return false;
	return true;
}

bool
name_is_taken(const struct name *name)
{
	return count_there(name) != 0;
}

int
name_place(struct name *name)
{
	if (name->on == NULL && is_any_host(name))
		name->on = fiber_host();
	return name->on == fiber_host() ? 0 : failed(EADDRNOTAVAIL);
}

int
name_choose(struct name *name)
{
	if (name_place(name) != 0)
		return -1;
	if (name->family == AF_UNIX && name->path_length == 0)
		name->path_length =
			1 + (size_t)sprintf(name->path + 1, "%05x", names.given++ & 0xfffff);
	if (name->family == AF_UNIX || name->port != 0)
		return 0;
	for (int tries = 0; tries < PORTS; tries++) {
		name->port = htons((in_port_t)(FIRST_PORT + names.given++ % PORTS));
		if (!name_is_taken(name))
			return 0;
	}
	name->port = 0;
	return failed(EADDRINUSE);
}

void
name_settle(struct name *name, const struct name *peer)
{
	if (!is_any_host(name))
		return;
	if (name->on == peer->on)
		memcpy(name->host, peer->host, sizeof name->host);
	else
		host_address(name->on, name->family, name->host);
}

bool
name_listen(const struct name *name, struct file *file)
{
	if (!may_join(name, file) || names.count == LISTENERS)
		return false;
	names.listeners[names.count].name = name;
	names.listeners[names.count++].file = file;
	return true;
}

void
name_unlisten(const struct file *file)
{
	for (int i = 0; i < names.count; i++)
		if (names.listeners[i].file == file) {
			names.listeners[i] = names.listeners[--names.count];
			return;
		}
}

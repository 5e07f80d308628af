/* Three steps make sure that only one server listens on an address: a lock by name (lock.h) keeps
 * out other servers of this kind, a probe without SO_REUSEPORT finds any other program, and a lock
 * on the port keeps two starting servers from passing each other's probe. Errors name the owner of
 * the address and say what to do. */
#include "master/sockets/claim.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/hash.h"
#include "hub/base/log.h"
#include "master/sockets/lock.h"
#include "master/sockets/port_owner.h"
#include "worker/heritage.h"

/* ---- errors that say what to do ---- */

void
claim_explain(const struct address *address, int error)
{
	char text[ADDRESS_TEXT_SIZE], owner[PORT_OWNER_TEXT_SIZE];

	address_format(address, text);
	switch (error) {
	case EADDRINUSE:
		port_owner_find(address, owner);
		log_error("cannot listen on %s: it is in use by %s; stop that, or choose another "
			  "address",
			text, owner);
		break;
	case ENOTSOCK:
		log_error(
			"cannot listen on %s: the file there is not a socket; choose another path, "
			"or move it away",
			text);
		break;
	case EADDRNOTAVAIL:
		log_error("cannot listen on %s: no interface of this machine has that address; "
			  "'ip address' lists its addresses",
			text);
		break;
	case EACCES:
		if (address->kind == ADDRESS_UNIX) {
			log_error("cannot listen on %s: this user may not write to its directory",
				text);
			break;
		}
		log_error("cannot listen on %s: low ports need privilege; choose a higher "
			  "--listen, or start as root with --user, or permit it: to a unit by "
			  "AmbientCapabilities=CAP_NET_BIND_SERVICE, to an installed program by "
			  "'setcap cap_net_bind_service+ep', to everybody by 'sysctl "
			  "net.ipv4.ip_unprivileged_port_start=%u'",
			text, address_port(address));
		break;
	default:
		log_error("cannot listen on %s: %s", text, strerror(error));
	}
}

/* ---- one copy per address ---- */

#define RETRY_EVERY 20 /* milliseconds */
#define RETRY_FOR 2000
#define ORPHANS_FOR (3 * ORPHAN_TIME) /* orphaned workers may end late on a slow machine */
#define LOOKS_LEAST 20 /* tries: where one try takes seconds, time alone would allow too few */
#define NAME_MOST 64   /* bytes of a file's name that fit into a lock's name */

/* Takes the lock of that name; text says for the log what it locks. Returns the lock's descriptor,
 * or -1 with errno. */
static int
take(const char *name, const char *text, struct ucred *other)
{
	int fd = lock_take(name, other);

	if (fd != -1 && other->pid != 0)
		log_warning("pid %d of user %u holds the lock on %s, which only this user and root "
			    "may hold; ignoring it",
			(int)other->pid, (unsigned)other->uid, text);
	return fd;
}

/* Two servers that start at the same moment on overlapping addresses (:PORT and HOST:PORT) would
 * pass each other's probe, because neither has bound its socket yet. So servers start on a port one
 * at a time. */
int
claim_port(const struct address *address)
{
	char name[64], text[64];
	struct ucred other;
	int fd;

	snprintf(name, sizeof name, "starting/%s%u", address->kind == ADDRESS_UDP ? "udp:" : "",
		address_port(address));
	snprintf(text, sizeof text, "starting on port %u", address_port(address));
	for (int waited = 0;
		(fd = take(name, text, &other)) == -1 && errno == EADDRINUSE && waited < RETRY_FOR;
		waited += RETRY_EVERY)
		poll(NULL, 0, RETRY_EVERY);
	if (fd == -1 && errno == EADDRINUSE)
		log_error("another server is starting on port %u and is not ready yet; stop it, or "
			  "choose another --listen",
			address_port(address));
	else if (fd == -1)
		log_error("cannot lock port %u: %s", address_port(address), strerror(errno));
	return fd;
}

/* Writes the name of an address's lock. A path can be spelled in many ways, so the lock of a Unix
 * socket names the directory by its device and inode; a file name that is too long is named by its
 * beginning and a hash. Returns false with errno if there is no such directory. */
static bool
name_lock(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
	const char *name;
	char directory[ADDRESS_TEXT_SIZE];
	struct stat status;
	char *slash;

	address_format(address, text);
	if (address->kind != ADDRESS_UNIX)
		return true;
	snprintf(directory, sizeof directory, "%s", address_path(address));
	slash = strrchr(directory, '/');
	if (slash != NULL)
		*slash = '\0';
	if (stat(slash == NULL ? "." : slash == directory ? "/" : directory, &status) != 0)
		return false;
	name = slash != NULL ? slash + 1 : directory;
	if (strlen(name) <= NAME_MOST)
		snprintf(text, ADDRESS_TEXT_SIZE, "%lx:%lx/%.*s", (unsigned long)status.st_dev,
			(unsigned long)status.st_ino, NAME_MOST, name);
	else
		snprintf(text, ADDRESS_TEXT_SIZE, "%lx:%lx/%.*s#%016" PRIx64,
			(unsigned long)status.st_dev, (unsigned long)status.st_ino, NAME_MOST - 17,
			name, hash_text(name));
	return true;
}

int
claim_address(const struct address *address)
{
	char name[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE], owner[PORT_OWNER_TEXT_SIZE];
	struct ucred other;
	int fd;

	address_format(address, text);
	fd = name_lock(address, name) ? take(name, text, &other) : -1;
	if (fd == -1 && errno == EADDRINUSE) {
		port_owner_find(address, owner);
		log_error("cannot listen on %s: another hubbub server has it, %s; stop that, or "
			  "choose another address; to share it on purpose, let that server have "
			  "more workers (hubbub-ctl scale), or replace its program (hubbub-ctl "
			  "upgrade)",
			text, owner);
	} else if (fd == -1 && errno == ENOENT) {
		log_error("cannot listen on %s: there is no such directory", text);
	} else if (fd == -1) {
		log_error("cannot lock %s: %s", text, strerror(errno));
	}
	return fd;
}

/* With SO_REUSEPORT this server could join the group of any other program of the same user that
 * sets it too, and share its connections. A bind without SO_REUSEPORT fails if the port has any
 * such socket. Returns 0, or an errno. */
static int
probe_port(const struct address *address)
{
	int error = 0, on = address->kind == ADDRESS_TCP;
	int type = address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(address->socket.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
		bind(fd, (const struct sockaddr *)&address->socket, address->length) != 0)
		error = errno;
	close(fd);
	return error;
}

/* Removes a Unix socket on which nobody listens: a killed server has left it. Returns 0 if the path
 * is free, or an errno: EADDRINUSE if somebody listens, ENOTSOCK if the file is not a socket. */
static int
probe_path(const struct address *address)
{
	const char *path = address_path(address);
	struct stat status;
	int fd, error = 0;

	if (lstat(path, &status) != 0)
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 ||
		connect(fd, (const struct sockaddr *)&address->socket, address->length) != 0)
		error = errno;
	if (fd != -1)
		close(fd);
	/* ENOENT: somebody else has removed it meanwhile. */
	if (error == ECONNREFUSED)
		return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
	return error == 0 || error == EAGAIN ? EADDRINUSE : error;
}

/* Waiting for an address to become free. */
struct wait {
	int64_t began;  /* as clock_now */
	int64_t seen;   /* when a worker of a dead master last held the address; 0 if none did */
	unsigned looks; /* tries so far */
};

/* Waits for a moment, and returns true, if the address may become free: the workers of a killed
 * master close their sockets within ORPHAN_TIME, and a process that is just ending holds sockets
 * that /proc no longer shows. Returns false if another process owns it, or time is up. */
static bool
may_retry(const struct address *address, struct wait *wait)
{
	char text[ADDRESS_TEXT_SIZE], owner[PORT_OWNER_TEXT_SIZE];
	enum port_owner kind = port_owner_find(address, owner);
	int64_t now = clock_now();
	int64_t end = (wait->seen != 0 ? wait->seen : wait->began) + RETRY_FOR * CLOCK_MILLISECOND;

	if (kind == PORT_OWNER_ORPHAN && wait->seen == 0) {
		address_format(address, text);
		log_info("%s is still held by %s, whose master is dead; waiting", text, owner);
	}
	if (kind == PORT_OWNER_ORPHAN) {
		wait->seen = now;
		end = wait->began + ORPHANS_FOR;
	}
	if (kind == PORT_OWNER_OTHER || (++wait->looks >= LOOKS_LEAST && now > end))
		return false;
	poll(NULL, 0, RETRY_EVERY);
	return true;
}

int
claim_probe(const struct address *address)
{
	int (*probe)(const struct address *address) =
		address->kind == ADDRESS_UNIX ? probe_path : probe_port;
	struct wait wait = {.began = clock_now()};
	int error;

	do
		error = probe(address);
	while (error == EADDRINUSE && may_retry(address, &wait));
	if (error == 0)
		return 0;
	claim_explain(address, error);
	return -1;
}

/* ---- what a name stands for, and this machine has ---- */

/* Returns the errno that says that this machine does not have the address, or 0. All other errors
 * are left to the real bind, which reports them. */
static int
find_missing(const struct address *address)
{
	struct address any_port = *address;
	int type = address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int error = 0, fd;

	if (address->kind == ADDRESS_UNIX)
		return 0;
	address_set_port(&any_port, 0);
	fd = socket(address->socket.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (const struct sockaddr *)&any_port.socket, any_port.length) != 0)
		error = errno;
	if (fd != -1)
		close(fd);
	/* EINVAL: a link-local address from /etc/hosts, which cannot name the interface. */
	if (error == EINVAL && address->socket.ss_family == AF_INET6)
		error = EADDRNOTAVAIL;
	return error == EADDRNOTAVAIL || error == EAFNOSUPPORT ? error : 0;
}

/* Whether the machine has another address of the same name. */
static bool
has_another(const struct address *addresses, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (i != index && addresses[i].name == addresses[index].name &&
			find_missing(&addresses[i]) == 0)
			return true;
	return false;
}

bool
claim_can_spare(const struct address *addresses, size_t count, size_t index)
{
	const struct address *address = &addresses[index];
	int error = address->is_alternative ? find_missing(address) : 0;
	char text[ADDRESS_TEXT_SIZE];

	if (error == 0 || !has_another(addresses, count, index))
		return false;
	address_format(address, text);
	log_warning("not listening on %s, which is one of several addresses of a name: %s", text,
		error == EADDRNOTAVAIL ? "no interface of this machine has it" : strerror(error));
	return true;
}

int
claim_follow_port(struct address *addresses, size_t index)
{
	struct address *address = &addresses[index];

	if (!address_is_open(address))
		return 0;
	for (size_t i = 0; i < index && address_is_open(address); i++)
		if (addresses[i].name == address->name && addresses[i].kind == address->kind)
			address_set_port(address, address_port(&addresses[i]));
	return address_is_open(address) ? 0 : probe_port(address);
}

/* Returns a listening socket, or -1 with errno. If the port is 0, address gets the port that the
 * kernel chose. */
static int
listen_at(struct address *address)
{
	int on = 1, error;
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
		bind(fd, (const struct sockaddr *)&address->socket, address->length) == 0 &&
		listen(fd, SOMAXCONN) == 0 &&
		getsockname(fd, (struct sockaddr *)&address->socket, &address->length) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Listens on all addresses, up to the first that fails. Returns 0, or an errno, with the index of
 * that address in *refused. */
static int
listen_at_all(struct address *addresses, size_t count, int *fds, size_t *refused)
{
	for (size_t i = 0; i < count; i++) {
		int error = claim_follow_port(addresses, i);

		fds[i] = error == 0 ? listen_at(&addresses[i]) : -1;
		if (fds[i] != -1)
			continue;
		*refused = i;
		return error == 0 ? errno : error;
	}
	return 0;
}

static void
close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] != -1)
			close(fds[i]);
		fds[i] = -1;
	}
}

int
claim_listen(const struct address *wanted, size_t count, const char *option,
	int fds[static ADDRESSES_MAX])
{
	struct address addresses[ADDRESSES_MAX];
	size_t kept = 0, refused = 0;
	int error = 0, tries = 0;

	for (size_t i = 0; i < count; i++)
		if (!claim_can_spare(wanted, count, i))
			addresses[kept++] = wanted[i];
	do {
		for (size_t i = 0; i < kept; i++)
			address_set_port(&addresses[i], address_port(&wanted[0]));
		error = listen_at_all(addresses, kept, fds, &refused);
		if (error != 0)
			close_all(fds, kept);
		/* The port that the kernel chose for the first address is taken at another: try a
		 * new one. */
	} while (error == EADDRINUSE && refused > 0 && address_is_open(&wanted[0]) &&
		 ++tries < CLAIM_PORTS_MAX);
	if (error == 0)
		return 0;
	claim_explain(&addresses[refused], error);
	log_error("that address is --%s's", option);
	return -1;
}

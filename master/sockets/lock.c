/* A process takes the well-known name if that is free. If a stranger has it, the process takes a
 * second name, "PREFIX HASH/RANDOM", and looks for others of that form in /proc/net/unix only after
 * its own is bound and listens. So of two processes that race at least one finds the other: both
 * may be refused, but never both succeed. */
#include "master/sockets/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/hash.h"

#define PREFIX "hubbub-lock/"
#define TRIES 50 /* milliseconds that a process has between its bind and its listen */

enum holder { NOBODY, STRANGER, OWN /* this user's, or root's */ };

/* An abstract Unix socket's address. */
struct name {
	struct sockaddr_un address;
	socklen_t length;
};

static struct name
abstract(const char *text)
{
	struct name name = {.address.sun_family = AF_UNIX};
	char *path = name.address.sun_path;
	int length = snprintf(path + 1, sizeof name.address.sun_path - 1, "%s", text);

	name.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	return name;
}

/* ---- the holder of a name ---- */

/* Asks the kernel which user's process listens on the name. A listener whose queue is full counts
 * as a stranger, because only a connection tells. */
static enum holder
ask(const struct name *name, struct ucred *holder)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof *holder;
	enum holder kind = STRANGER;

	if (fd == -1)
		return STRANGER;
	if (connect(fd, (const struct sockaddr *)&name->address, name->length) != 0)
		kind = errno == ECONNREFUSED ? NOBODY : STRANGER;
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, holder, &length) == 0 &&
		 (holder->uid == geteuid() || holder->uid == 0))
		kind = OWN;
	close(fd);
	return kind;
}

/* Whether another process of this user or root holds the lock by a second name: a name that begins
 * with names, and is not own. /proc shows an abstract name behind an '@'. */
static bool
has_second(const char *names, const char *own, struct ucred *holder)
{
	FILE *stream = fopen("/proc/self/net/unix", "re");
	char line[512], text[128];
	bool is_found = false;

	while (stream != NULL && !is_found && fgets(line, sizeof line, stream) != NULL) {
		struct name name;

		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s @%106s", text) != 1 ||
			strncmp(text, names, strlen(names)) != 0 || strcmp(text, own) == 0)
			continue;
		name = abstract(text);
		is_found = ask(&name, holder) == OWN;
	}
	if (stream != NULL)
		fclose(stream);
	return is_found;
}

/* ---- taking it ---- */

/* Returns a listening socket, or -1 with errno. */
static int
listen_at(const struct name *name)
{
	int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (bind(fd, (const struct sockaddr *)&name->address, name->length) == 0 &&
		listen(fd, SOMAXCONN) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Takes the well-known name. Returns its file descriptor, or -1. Then *kind tells who holds the
 * name, or is NOBODY if bind failed with an errno other than EADDRINUSE. */
static int
take_first(const struct name *name, enum holder *kind, struct ucred *holder)
{
	for (int tries = 0;; tries++) {
		int fd = listen_at(name);

		*kind = NOBODY;
		if (fd != -1 || errno != EADDRINUSE)
			return fd;
		*kind = ask(name, holder);
		if (*kind == NOBODY && tries == TRIES)
			*kind = STRANGER;
		if (*kind != NOBODY)
			return -1;
		poll(NULL, 0, 1);
	}
}

static int
refuse(int fd)
{
	if (fd != -1)
		close(fd);
	errno = EADDRINUSE;
	return -1;
}

/* A process looks for others only once it holds a name itself. So when two take the lock at the
 * same time, each finds the other, or the later one finds the first. */
int
lock_take(const char *name, struct ucred *other)
{
	char path[sizeof PREFIX + LOCK_NAME_SIZE], names[sizeof PREFIX + 17], own[64] = "";
	struct ucred holder = {0}, second;
	uint64_t some = 0;
	struct name first;
	enum holder kind;
	int fd;

	*other = (struct ucred){0};
	if (strlen(name) >= LOCK_NAME_SIZE) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(path, sizeof path, PREFIX "%s", name);
	snprintf(names, sizeof names, PREFIX "%016" PRIx64 "/", hash_text(name));
	first = abstract(path);
	fd = take_first(&first, &kind, &holder);
	if (kind != NOBODY)
		*other = holder;
	if (kind == OWN)
		return refuse(fd);
	if (kind == STRANGER) {
		getrandom(&some, sizeof some, 0);
		snprintf(own, sizeof own, "%s%016" PRIx64, names, some);
		first = abstract(own);
		fd = listen_at(&first);
	}
	if (fd == -1)
		return -1;
	first = abstract(path);
	if ((kind == STRANGER && ask(&first, &second) == OWN) || has_second(names, own, &second)) {
		*other = second;
		return refuse(fd);
	}
	return fd;
}

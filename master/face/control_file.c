/* A socket that is bound but does not listen yet looks as dead as one that a killed server has
 * left. So files are made and removed only under a lock by name (lock.h), which every server takes
 * from bind to listen. */
#include "master/face/control_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/hash.h"
#include "hub/base/log.h"
#include "master/face/rights.h"
#include "master/sockets/lock.h"

#define NAME_SIZE (2 * ADDRESS_TEXT_SIZE)

/* ---- its name ---- */

/* Writes an address as a file name has it: "PORT" for all addresses and for 127.0.0.1, which cannot
 * both be listened on, else "HOST-PORT". */
static void
write_address(const struct address *address, char text[static NAME_SIZE])
{
	char formatted[ADDRESS_TEXT_SIZE], *host = formatted, *port;
	const char *kind = address->kind == ADDRESS_UDP ? "udp-" : "";

	address_format(address, formatted);
	if (address->kind == ADDRESS_UDP)
		host += strlen("udp:");
	port = strrchr(host, ':');
	*port++ = '\0';
	/* Strip the brackets of an IPv6 address. */
	if (host[0] == '[') {
		host++;
		host[strlen(host) - 1] = '\0';
	}
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "127.0.0.1") == 0)
		snprintf(text, NAME_SIZE, "%s%s", kind, port);
	else
		snprintf(text, NAME_SIZE, "%s%s-%s", kind, host, port);
}

/* Writes a Unix socket's path as "unix-" and eight digits of its hash: hubbub-ctl recognises a
 * server's socket by digits at the end. */
static void
write_path(const char *path, char text[static NAME_SIZE])
{
	char resolved[PATH_MAX];
	uint64_t number = hash_text(realpath(path, resolved) != NULL ? resolved : path);

	snprintf(text, NAME_SIZE, "unix-%08u", (unsigned)(number % 100000000));
}

/* Writes the part of the name that tells servers apart: the first address that has a port, or else
 * the first path. */
static void
write_own(const struct sockets *sockets, char text[static NAME_SIZE])
{
	for (unsigned i = 0; i < sockets->address_count; i++)
		if (address_port(&sockets->addresses[i]) != 0) {
			write_address(&sockets->addresses[i], text);
			return;
		}
	write_path(address_path(&sockets->addresses[0]), text);
}

/* ---- its directory ---- */

/* Makes a directory that belongs to the user that this server will become, so that the server can
 * remove and make its socket there later. Returns whether there is such a directory. */
static bool
make_users_directory(const struct privileges *privileges, char directory[static MASTER_PATH_SIZE])
{
	int fd;
	bool is_made;

	if (!privileges->changes || snprintf(directory, MASTER_PATH_SIZE, RIGHTS_DIRECTORY "/%s",
					    privileges->name) >= MASTER_PATH_SIZE)
		return false;
	mkdir(directory, 0755);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return false;
	is_made = fchown(fd, privileges->user, privileges->group) == 0;
	close(fd);
	return is_made;
}

static bool
choose_directory(const struct privileges *privileges, char directory[static MASTER_PATH_SIZE])
{
	const char *own = getenv("XDG_RUNTIME_DIR");

	if ((geteuid() == 0 || own == NULL) &&
		(mkdir(RIGHTS_DIRECTORY, 0755) == 0 || errno == EEXIST)) {
		if (geteuid() != 0 || !make_users_directory(privileges, directory))
			snprintf(directory, MASTER_PATH_SIZE, RIGHTS_DIRECTORY);
		return true;
	}
	if (own != NULL)
		snprintf(directory, MASTER_PATH_SIZE, "%s", own);
	return own != NULL;
}

/* ---- files that are there already ---- */

/* Whether the path is a Unix socket on which nobody listens: a killed server has left it. */
static bool
is_dead(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct stat status;
	int fd;
	bool is_refused;

	if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return false;
	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	is_refused = connect(fd, (const struct sockaddr *)&name, sizeof name) != 0 &&
		     errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

/* Takes the lock for making and removing that file. Returns its file descriptor, or -1 with
 * errno. */
static int
lock_path(const char *path)
{
	char text[PATH_MAX], name[64], *slash;
	struct ucred other;
	struct stat status;

	snprintf(text, sizeof text, "%s", path);
	slash = strrchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	if (stat(slash == NULL ? "." : slash == text ? "/" : text, &status) != 0)
		return -1;
	snprintf(name, sizeof name, "control/%lx:%lx/%016" PRIx64, (unsigned long)status.st_dev,
		(unsigned long)status.st_ino, hash_text(slash != NULL ? slash + 1 : text));
	return lock_take(name, &other);
}

static void
remove_dead(const char *path)
{
	struct path_identity file = path_identity(path);

	if (is_dead(path) && path_identity_is(&file, path) && unlink(path) == 0)
		log_info("removed %s, which a server that was killed had left", path);
}

/* Removes the sockets that killed servers of this name have left in the directory. */
static void
sweep(const char *directory, const char *name)
{
	DIR *listing = opendir(directory);
	size_t length = strlen(name);
	struct dirent *entry;

	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');
		char path[MASTER_PATH_SIZE];
		int lock;

		if (strncmp(entry->d_name, name, length) != 0 || entry->d_name[length] != '-' ||
			end == NULL || strcmp(end, ".sock") != 0 ||
			snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >=
				(int)sizeof path ||
			!is_dead(path))
			continue;
		lock = lock_path(path);
		if (lock == -1)
			continue;
		remove_dead(path);
		close(lock);
	}
	if (listing != NULL)
		closedir(listing);
}

bool
control_file_choose(const struct master *master, char chosen[static MASTER_PATH_SIZE])
{
	char directory[MASTER_PATH_SIZE], own[NAME_SIZE];
	int length;

	chosen[0] = '\0';
	errno = ENOENT;
	if (!choose_directory(&master->privileges, directory))
		return false;
	sweep(directory, master->service->name);
	write_own(&master->sockets, own);
	length = snprintf(
		chosen, MASTER_PATH_SIZE, "%s/%s-%s.sock", directory, master->service->name, own);
	errno = ENAMETOOLONG;
	return length < MASTER_PATH_SIZE;
}

/* ---- making it ---- */

/* Returns a listening socket, or -1 with errno. */
static int
bind_at(const char *path, const struct privileges *privileges, struct path_identity *file)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
	mode_t mask;

	if (fd == -1)
		return -1;
	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	/* By umask, so that the file is never open to others, not even between two calls. */
	mask = umask(rights_include_group(path, privileges) ? 0117 : 0177);
	if (bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
		error = errno;
	umask(mask);
	if (error == 0) {
		*file = path_identity(path);
		if ((privileges->changes && geteuid() == 0 &&
			    lchown(path, privileges->user, privileges->group) != 0) ||
			listen(fd, SOMAXCONN) != 0)
			error = errno;
		if (error == 0)
			return fd;
		unlink(path);
	}
	close(fd);
	errno = error;
	return -1;
}

int
control_file_listen(
	const char *path, const struct privileges *privileges, struct path_identity *file)
{
	int lock = lock_path(path), fd, error;

	if (lock == -1)
		return -1;
	remove_dead(path);
	fd = bind_at(path, privileges, file);
	error = errno;
	close(lock);
	errno = error;
	return fd;
}

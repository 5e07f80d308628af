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

#include "hub/base/log.h"
#include "master/face/rights.h"
#include "master/sockets/lock.h"

#define NAME_SIZE (2 * ADDRESS_TEXT_SIZE)

/* ---- what it is called ---- */

/* Writes the address as a name has it: with its host, unless that is all addresses or 127.0.0.1,
 * which cannot both be had. */
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
	/* Of a v6 address in brackets. */
	if (host[0] == '[') {
		host++;
		host[strlen(host) - 1] = '\0';
	}
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "127.0.0.1") == 0)
		snprintf(text, NAME_SIZE, "%s%s", kind, port);
	else
		snprintf(text, NAME_SIZE, "%s%s-%s", kind, host, port);
}

/* By digits, as a port, so that former releases of hubbub-ctl find it, too. */
static void
write_path(const char *path, char text[static NAME_SIZE])
{
	char resolved[PATH_MAX];
	uint64_t number = lock_number(realpath(path, resolved) != NULL ? resolved : path);

	snprintf(text, NAME_SIZE, "unix-%08u", (unsigned)(number % 100000000));
}

/* By the first address that has a port, or the first path. */
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

/* ---- its folder ---- */

/* A folder of the user that this server becomes, in which it can remove its socket, and make it
 * again. Returns whether there is one. */
static bool
make_users_folder(const struct privileges *privileges, char folder[static MASTER_PATH_SIZE])
{
	int fd;
	bool is_made;

	if (!privileges->changes || snprintf(folder, MASTER_PATH_SIZE, RIGHTS_FOLDER "/%s",
					    privileges->name) >= MASTER_PATH_SIZE)
		return false;
	mkdir(folder, 0755);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return false;
	is_made = fchown(fd, privileges->user, privileges->group) == 0;
	close(fd);
	return is_made;
}

static bool
choose_folder(const struct privileges *privileges, char folder[static MASTER_PATH_SIZE])
{
	const char *own = getenv("XDG_RUNTIME_DIR");

	if ((geteuid() == 0 || own == NULL) &&
		(mkdir(RIGHTS_FOLDER, 0755) == 0 || errno == EEXIST)) {
		if (geteuid() != 0 || !make_users_folder(privileges, folder))
			snprintf(folder, MASTER_PATH_SIZE, RIGHTS_FOLDER);
		return true;
	}
	if (own != NULL)
		snprintf(folder, MASTER_PATH_SIZE, "%s", own);
	return own != NULL;
}

/* ---- what is there already ---- */

/* Whether nobody listens on a socket at the path: a killed server has left it. */
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

/* The right to make and remove a file: what is bound and does not listen yet looks dead. Returns
 * its descriptor, or -1 with errno. */
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
		(unsigned long)status.st_ino, lock_number(slash != NULL ? slash + 1 : text));
	return lock_take(name, &other);
}

static void
remove_dead(const char *path)
{
	struct path_identity file = path_identity(path);

	if (is_dead(path) && path_identity_is(&file, path) && unlink(path) == 0)
		log_info("removed %s, which a server that was killed had left", path);
}

/* Removes what killed servers of this name have left. */
static void
sweep(const char *folder, const char *name)
{
	DIR *directory = opendir(folder);
	size_t length = strlen(name);
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');
		char path[MASTER_PATH_SIZE];
		int lock;

		if (strncmp(entry->d_name, name, length) != 0 || entry->d_name[length] != '-' ||
			end == NULL || strcmp(end, ".sock") != 0 ||
			snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >=
				(int)sizeof path ||
			!is_dead(path))
			continue;
		lock = lock_path(path);
		if (lock == -1)
			continue;
		remove_dead(path);
		close(lock);
	}
	if (directory != NULL)
		closedir(directory);
}

bool
control_file_choose(const struct master *master, char chosen[static MASTER_PATH_SIZE])
{
	char folder[MASTER_PATH_SIZE], own[NAME_SIZE];
	int length;

	chosen[0] = '\0';
	errno = ENOENT;
	if (!choose_folder(&master->privileges, folder))
		return false;
	sweep(folder, master->service->name);
	write_own(&master->sockets, own);
	length = snprintf(
		chosen, MASTER_PATH_SIZE, "%s/%s-%s.sock", folder, master->service->name, own);
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
	/* It is never open to others, not even between two calls. */
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

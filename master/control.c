#include "master/control.h"

#include <errno.h>
#include <ev.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/master.h"
#include "master/requests.h"

#define AGAIN_AFTER 0.1 /* seconds, when files ran out */

struct control {
	struct master *master;
	char path[MASTER_PATH_SIZE];
	struct stat file; /* what was at path when this master began to hear */
	ev_io listener;
	ev_timer again; /* accepting, when files ran out */
	struct requests requests;
};

/* ---- accepting ---- */

static void
on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct control *control = timer->data;

	(void)events;
	ev_io_start(loop, &control->listener);
}

static bool
may_talk(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void
on_connect(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct control *control = watcher->data;
	int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd == -1) {
		/* Out of files: the client stays queued, and would wake this loop without end. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			ev_io_stop(loop, watcher);
			ev_timer_start(loop, &control->again);
		}
		return;
	}
	if (may_talk(fd))
		requests_take(&control->requests, fd);
	else
		close(fd);
}

void
control_changed(struct control *control, const char *why)
{
	if (control != NULL)
		requests_changed(&control->requests, why);
}

void
control_dumped(struct control *control, int64_t number)
{
	if (control != NULL)
		requests_dumped(&control->requests, number);
}

/* ---- the socket ---- */

static const char *
choose_folder(void)
{
	static const char system_folder[] = "/run/hubbub";
	const char *own = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0 || own == NULL) {
		if (mkdir(system_folder, 0755) == 0 || errno == EEXIST)
			return system_folder;
		if (own == NULL)
			return NULL;
	}
	return own;
}

/* Of a server with paths alone it is 0. */
static unsigned
first_port(const struct sockets *sockets)
{
	unsigned port = 0;

	for (unsigned i = 0; port == 0 && i < sockets->address_count; i++)
		port = address_port(&sockets->addresses[i]);
	return port;
}

static bool
choose_path(const struct master *master, const char *path, char chosen[static MASTER_PATH_SIZE])
{
	size_t size = MASTER_PATH_SIZE;
	const char *folder = path == NULL ? choose_folder() : NULL;
	int length;

	if (path == NULL && folder == NULL) {
		errno = ENOENT;
		return false;
	}
	length = path != NULL ? snprintf(chosen, size, "%s", path)
			      : snprintf(chosen, size, "%s/%s-%u.sock", folder,
					master->service->name, first_port(&master->sockets));
	errno = ENAMETOOLONG;
	return length < (int)size;
}

/* A file that nobody listens on is what a killed server has left. */
static void
remove_stale(const struct sockaddr_un *name)
{
	struct stat status;
	int fd;

	if (lstat(name->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	if (connect(fd, (const struct sockaddr *)name, sizeof *name) != 0 && errno == ECONNREFUSED)
		unlink(name->sun_path);
	close(fd);
}

/* Returns a listening socket, or -1 with errno. */
static int
listen_at(const char *path, const struct identity *identity)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	mode_t mask;
	int error = 0, fd;

	memcpy(name.sun_path, path, strlen(path) + 1);
	remove_stale(&name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* It is never open to others, not even between two calls. */
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
		error = errno;
	umask(mask);
	if (error == 0 && identity->changes && geteuid() == 0 &&
		lchown(path, identity->user, identity->group) != 0)
		error = errno;
	if (error == 0 && listen(fd, SOMAXCONN) != 0)
		error = errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

int
control_listen(const struct master *master, const char *path, const struct identity *identity,
	char chosen[static MASTER_PATH_SIZE], bool *is_fatal)
{
	int fd = -1;

	_Static_assert(sizeof((struct sockaddr_un *)NULL)->sun_path == MASTER_PATH_SIZE, "a path");
	*is_fatal = path != NULL;
	chosen[0] = '\0';
	if (choose_path(master, path, chosen))
		fd = listen_at(chosen, identity);
	if (fd == -1 && chosen[0] == '\0' && path == NULL)
		log_warning("no folder for the control socket: neither /run/hubbub nor "
			    "$XDG_RUNTIME_DIR; hubbub-ctl cannot talk to this server (choose "
			    "--control=PATH)");
	else if (fd == -1)
		log_write(path != NULL ? LOG_ERROR : LOG_WARNING,
			"cannot open the control socket %s: %s; hubbub-ctl cannot talk to this "
			"server (choose another --control=PATH)",
			chosen, strerror(errno));
	return fd;
}

struct control *
control_new(struct master *master, int fd, const char *path)
{
	struct control *control = calloc(1, sizeof *control);

	if (control == NULL) {
		log_error("cannot open the control socket: no memory");
		close(fd);
		return NULL;
	}
	control->master = master;
	snprintf(control->path, sizeof control->path, "%s", path);
	ev_io_init(&control->listener, on_connect, fd, EV_READ);
	ev_timer_init(&control->again, on_again, AGAIN_AFTER, 0.);
	control->listener.data = control->again.data = control;
	requests_init(&control->requests, master);
	return control;
}

void
control_start(struct control *control)
{
	if (control == NULL)
		return;
	if (lstat(control->path, &control->file) != 0)
		control->file = (struct stat){0};
	ev_io_start(control->master->loop, &control->listener);
}

/* Somebody may have removed the file, and made another one. */
static bool
is_own_file(const struct control *control)
{
	struct stat now;

	return lstat(control->path, &now) == 0 && now.st_dev == control->file.st_dev &&
	       now.st_ino == control->file.st_ino;
}

void
control_pause(struct control *control)
{
	if (control == NULL)
		return;
	ev_io_stop(control->master->loop, &control->listener);
	ev_timer_stop(control->master->loop, &control->again);
}

void
control_close(struct control *control, bool is_ours)
{
	if (control == NULL)
		return;
	control_pause(control);
	requests_fini(&control->requests);
	close(control->listener.fd);
	if (is_ours && is_own_file(control))
		unlink(control->path);
	free(control);
}

/* Accepting at the control socket. The socket and its file belong to whichever master owns the
 * server: they are named by master->handed_on, and another master may answer there after an
 * upgrade. requests.c owns the clients. */
#include "master/face/control.h"

#include <errno.h>
#include <ev.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/base/ear.h"
#include "master/face/control_file.h"
#include "master/face/requests.h"
#include "master/face/rights.h"
#include "master/master.h"
#include "master/say/history.h"

#define AGAIN_AFTER 0.1 /* seconds, when accepting fails */

/* A master's end of the control socket. */
struct control {
	struct master *master; /* its handed_on names the socket and its file */
	struct ear listener;
	ev_timer again; /* starts accepting again, after accept has failed */
	bool is_lost;   /* its file is gone and cannot be made again, and that was logged */
	struct requests requests;
};

/* ---- accepting ---- */

static void
on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct control *control = timer->data;

	(void)events;
	ear_start(loop, &control->listener);
}

static void
on_connect(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct control *control = watcher->data;
	int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	enum rights rights;

	(void)events;
	if (fd == -1) {
		/* The client stays queued, and would wake the loop again at once: pause. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			ear_stop(loop, &control->listener);
			ev_timer_set(&control->again, AGAIN_AFTER, 0.);
			ev_timer_start(loop, &control->again);
		}
		return;
	}
	rights = rights_of_peer(fd, control->master->handed_on.control_path);
	if (rights != RIGHTS_NONE)
		requests_take(&control->requests, fd, rights);
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
		dump_done(&control->requests.dump, number);
}

void
control_dump_missed(struct control *control, int64_t number, unsigned hubs)
{
	if (control != NULL)
		dump_missed(&control->requests.dump, number, hubs);
}

/* ---- the socket ---- */

static const char *
why_not(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another server, or a file, has that name";
	case ENOENT:
		return "there is no such directory";
	default:
		return strerror(error);
	}
}

int
control_listen(const struct master *master, const char *path, struct handed_on *on, bool *is_fatal)
{
	char *chosen = on->control_path;
	bool is_chosen;

	_Static_assert(sizeof((struct sockaddr_un *)NULL)->sun_path == MASTER_PATH_SIZE, "a path");
	*is_fatal = path != NULL;
	errno = ENAMETOOLONG;
	is_chosen = path == NULL
			    ? control_file_choose(master, chosen)
			    : snprintf(chosen, MASTER_PATH_SIZE, "%s", path) < MASTER_PATH_SIZE;
	if (is_chosen)
		on->control = control_file_listen(chosen, &master->privileges, &on->control_file);
	if (on->control == -1 && chosen[0] == '\0' && path == NULL)
		log_warning("no directory for the control socket: neither /run/hubbub nor "
			    "$XDG_RUNTIME_DIR; hubbub-ctl cannot talk to this server (choose "
			    "--control=PATH)");
	else if (on->control == -1)
		log_write(path != NULL ? LOG_ERROR : LOG_WARNING,
			"cannot open the control socket %s: %s; %schoose another --control=PATH",
			chosen, why_not(errno),
			path != NULL ? "" : "hubbub-ctl cannot talk to this server; ");
	return on->control;
}

struct control *
control_new(struct master *master)
{
	struct handed_on *on = &master->handed_on;
	struct control *control = calloc(1, sizeof *control);

	if (control == NULL) {
		log_error("cannot open the control socket: no memory");
		return NULL;
	}
	control->master = master;
	/* A former master of an old release did not hand on which file it is. */
	if (on->control_file.inode == 0)
		on->control_file = path_identity(on->control_path);
	ear_init(&control->listener, on_connect, on->control, EV_READ);
	ev_init(&control->again, on_again);
	control->listener.watcher.data = control->again.data = control;
	requests_init(&control->requests, master);
	return control;
}

/* Removes the socket's file, unless another file has replaced it. */
static void
remove_own(const struct handed_on *on)
{
	if (path_identity_is(&on->control_file, on->control_path))
		unlink(on->control_path);
}

void
control_discard(struct handed_on *on, bool is_ours)
{
	if (is_ours)
		remove_own(on);
	close(on->control);
	on->control = -1;
}

void
control_start(struct control *control)
{
	if (control == NULL)
		return;
	/* listen again, so that SO_PEERCRED tells clients this process's pid, not a former
	 * master's. */
	if (listen(control->listener.watcher.fd, SOMAXCONN) != 0)
		log_debug("cannot listen at the control socket again: %s", strerror(errno));
	ear_start(control->master->loop, &control->listener);
}

void
control_look(struct control *control)
{
	struct handed_on *on = control != NULL ? &control->master->handed_on : NULL;
	struct path_identity file;
	int fd;

	if (control == NULL || path_identity_is(&on->control_file, on->control_path))
		return;
	fd = control_file_listen(on->control_path, &control->master->privileges, &file);
	if (fd == -1) {
		if (!control->is_lost)
			history_note(LOG_ERROR,
				"the control socket %s is gone, and cannot be made again: %s; "
				"hubbub-ctl cannot talk to this server",
				on->control_path, strerror(errno));
		control->is_lost = true;
		return;
	}
	ear_stop(control->master->loop, &control->listener);
	ev_timer_stop(control->master->loop, &control->again);
	close(on->control);
	on->control = fd;
	on->control_file = file;
	control->is_lost = false;
	ear_start_on(control->master->loop, &control->listener, fd);
	history_note(LOG_WARNING, "the control socket %s had been removed, and was made again",
		on->control_path);
}

void
control_pause(struct control *control)
{
	if (control == NULL)
		return;
	ear_stop(control->master->loop, &control->listener);
	ev_timer_stop(control->master->loop, &control->again);
}

void
control_close(struct control *control, bool is_ours)
{
	const struct handed_on *on;

	if (control == NULL)
		return;
	on = &control->master->handed_on;
	control_pause(control);
	requests_fini(&control->requests);
	close(on->control);
	if (is_ours)
		remove_own(on);
	free(control);
}

#include "master/control.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/list.h"
#include "hub/base/log.h"
#include "master/master.h"
#include "master/ready.h"
#include "master/status.h"

#define CLIENTS_MAX 32
#define LINE_SIZE 256
#define OUTPUT_MAX ((size_t)16 << 20)
#define PATIENCE 10.      /* seconds for a client to send its line, and to take output */
#define PROGRESS_EVERY 1. /* seconds */
#define AGAIN_AFTER 0.1   /* seconds */
#define DUMP_TIME 3.      /* seconds for hubs to write their coroutines */

/* What a client waits for. */
enum waits { WAITS_REQUEST, WAITS_CHANGE, WAITS_END, WAITS_DUMP, WAITS_FLUSH };

struct control {
	struct master *master;
	char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
	struct stat file; /* what was at path when this master began to hear */
	ev_io listener;
	struct list clients;
	unsigned client_count;
	ev_timer progress;
	ev_timer again; /* accepting, when files ran out */
	/* stacks: one at a time. */
	int dump; /* memfd, or -1 */
	int64_t dump_number;
	unsigned dump_expected;
	unsigned dump_done;
	ev_timer dump_over;
};

struct client {
	struct list link;
	struct control *control;
	ev_io input;
	ev_io output;
	ev_timer patience;
	enum waits waits;
	char line[LINE_SIZE];
	size_t line_length;
	char *pending; /* not yet sent */
	size_t pending_length;
};

static struct ev_loop *
loop_of(const struct control *control)
{
	return control->master->loop;
}

/* ---- clients ---- */

static void
client_free(struct client *client)
{
	struct control *control = client->control;
	struct ev_loop *loop = loop_of(control);

	ev_io_stop(loop, &client->input);
	ev_io_stop(loop, &client->output);
	ev_timer_stop(loop, &client->patience);
	close(client->input.fd);
	list_remove(&client->link);
	control->client_count--;
	free(client->pending);
	free(client);
}

static void
be_patient(struct client *client)
{
	struct ev_loop *loop = loop_of(client->control);

	ev_timer_stop(loop, &client->patience);
	ev_now_update(loop);
	ev_timer_set(&client->patience, PATIENCE, 0.);
	ev_timer_start(loop, &client->patience);
}

/* Sends what can be sent now; frees the client when all is said. */
static void
client_flush(struct client *client)
{
	struct ev_loop *loop = loop_of(client->control);
	ssize_t sent = 0;

	if (client->pending_length > 0)
		sent = send(client->input.fd, client->pending, client->pending_length,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		client_free(client);
		return;
	}
	if (sent > 0) {
		client->pending_length -= (size_t)sent;
		memmove(client->pending, client->pending + sent, client->pending_length);
		be_patient(client);
	}
	if (client->pending_length > 0) {
		ev_io_start(loop, &client->output);
	} else {
		ev_io_stop(loop, &client->output);
		if (client->waits == WAITS_FLUSH)
			client_free(client);
	}
}

/* Appends a line of that kind. */
static void
client_say(struct client *client, char kind, const char *text, size_t length)
{
	char *grown;

	if (client->pending_length + length + 2 > OUTPUT_MAX)
		return;
	grown = realloc(client->pending, client->pending_length + length + 2);
	if (grown == NULL)
		return;
	grown[client->pending_length] = kind;
	memcpy(grown + client->pending_length + 1, text, length);
	grown[client->pending_length + 1 + length] = '\n';
	client->pending = grown;
	client->pending_length += length + 2;
}

/* The last line; the connection ends when the client has read it. */
static void
client_finish(struct client *client, const char *why, const char *done)
{
	const char *text = why != NULL ? why : done;

	client_say(client, why != NULL ? '!' : '+', text, strlen(text));
	client->waits = WAITS_FLUSH;
	be_patient(client);
	client_flush(client);
}

static void
client_say_lines(struct client *client, char kind, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = newline != NULL ? (size_t)(newline - text) : (size_t)(end - text);

		client_say(client, kind, text, size);
		text += size + 1;
	}
}

/* ---- stacks ---- */

static void
dump_finish(struct control *control)
{
	struct stat status;
	char *text = NULL, late[128] = "";
	size_t size = 0;
	const char *lost = NULL;

	ev_timer_stop(loop_of(control), &control->dump_over);
	if (fstat(control->dump, &status) == 0 && status.st_size > 0) {
		size = (size_t)status.st_size;
		text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, control->dump, 0);
	}
	if (control->dump_done < control->dump_expected) {
		snprintf(late, sizeof late,
			"%u of %u hubs did not answer: they hang, and the log has their backtrace",
			control->dump_expected - control->dump_done, control->dump_expected);
		lost = late;
	}
	LIST_EACH (link, &control->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->waits != WAITS_DUMP)
			continue;
		if (text != NULL && text != MAP_FAILED)
			client_say_lines(client, '|', text, size);
		client_finish(client, lost, "all hubs answered");
	}
	if (text != NULL && text != MAP_FAILED)
		munmap(text, size);
	close(control->dump);
	control->dump = -1;
}

static void
on_dump_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	dump_finish(timer->data);
}

void
control_dumped(struct control *control, int64_t number)
{
	/* One that comes late was meant for an earlier request. */
	if (control == NULL || control->dump == -1 || number != control->dump_number)
		return;
	if (++control->dump_done == control->dump_expected)
		dump_finish(control);
}

static void
request_stacks(struct client *client)
{
	struct control *control = client->control;

	client->waits = WAITS_DUMP;
	if (control->dump != -1)
		return;
	control->dump = memfd_create("hubbub-stacks", MFD_CLOEXEC);
	if (control->dump == -1) {
		client_finish(client, strerror(errno), NULL);
		return;
	}
	/* All hubs write to it, at the same time. */
	fcntl(control->dump, F_SETFL, O_APPEND);
	control->dump_done = 0;
	control->dump_expected =
		fleet_dump(&control->master->fleet, control->dump, ++control->dump_number);
	ev_now_update(loop_of(control));
	ev_timer_set(&control->dump_over, control->dump_expected > 0 ? DUMP_TIME : 0., 0.);
	ev_timer_start(loop_of(control), &control->dump_over);
}

/* ---- requests ---- */

static void
request_status(struct client *client)
{
	char *json = status_json(client->control->master);

	if (json != NULL)
		client_say(client, '|', json, strlen(json));
	client_finish(client, json == NULL ? "no memory" : NULL,
		ready_is(client->control->master) ? "ready" : "not ready");
	free(json);
}

static void
wait_change(struct client *client, int result, const char *why)
{
	if (result != 0)
		client_finish(client, why, NULL);
	else if (client->control->master->change == CHANGE_NONE)
		client_finish(client, NULL, "done");
	else {
		client->waits = WAITS_CHANGE;
		ev_timer_again(loop_of(client->control), &client->control->progress);
	}
}

static void
request_scale(struct client *client, const char *argument)
{
	unsigned processes, threads;
	const char *why = NULL;
	char rest;
	int result;

	if (sscanf(argument, "%ux%u%c", &processes, &threads, &rest) != 2 || processes < 1 ||
		processes > OPTIONS_PROCESSES_MAX || threads < 1 || threads > OPTIONS_THREADS_MAX) {
		client_finish(client,
			"scale takes PROCESSESxTHREADS, each from 1 to 1024, such as 2x4", NULL);
		return;
	}
	result = master_scale(client->control->master, processes, threads, &why);
	wait_change(client, result, why);
}

static void
request_change(struct client *client, int (*change)(struct master *master, const char **why))
{
	const char *why = NULL;
	int result = change(client->control->master, &why);

	wait_change(client, result, why);
}

/* Until the server has ended, which closes the connection. */
static void
wait_end(struct client *client)
{
	client->waits = WAITS_END;
	ev_timer_again(loop_of(client->control), &client->control->progress);
}

static void
request(struct client *client)
{
	struct master *master = client->control->master;
	char *command = client->line, *argument = command + strcspn(command, " ");

	if (*argument != '\0')
		*argument++ = '\0';
	ev_timer_stop(loop_of(client->control), &client->patience);
	if (strcmp(command, "status") == 0) {
		request_status(client);
	} else if (master->phase == MASTER_HANDED_OVER) {
		client_finish(client, "another master has just taken over; ask again", NULL);
	} else if (strcmp(command, "stacks") == 0) {
		request_stacks(client);
	} else if (strcmp(command, "scale") == 0) {
		request_scale(client, argument);
	} else if (strcmp(command, "reload") == 0) {
		request_change(client, master_reload);
	} else if (strcmp(command, "upgrade") == 0) {
		request_change(client, master_upgrade);
	} else if (strcmp(command, "drain") == 0) {
		wait_end(client);
		master_drain(master);
	} else if (strcmp(command, "stop") == 0) {
		wait_end(client);
		master_stop(master, 0);
	} else {
		client_finish(client,
			"unknown command; there are status, scale, reload, upgrade, drain, stop "
			"and stacks",
			NULL);
	}
}

/* ---- what comes in ---- */

/* One that will only send no more is there. */
static bool
has_gone(const struct client *client)
{
	struct pollfd query = {.fd = client->input.fd};

	return poll(&query, 1, 0) == 1 && (query.revents & POLLHUP);
}

static void
on_input(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct client *client = watcher->data;
	ssize_t length = recv(watcher->fd, client->line + client->line_length,
		sizeof client->line - 1 - client->line_length, MSG_DONTWAIT);
	char *newline;

	(void)events;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		client_free(client);
		return;
	}
	/* One request a connection; what comes after it is not read into anything. */
	if (client->waits != WAITS_REQUEST) {
		client->line_length = 0;
		return;
	}
	client->line_length += (size_t)length;
	client->line[client->line_length] = '\0';
	newline = memchr(client->line, '\n', client->line_length);
	if (newline == NULL) {
		if (client->line_length == sizeof client->line - 1) {
			ev_io_stop(loop, watcher);
			client_finish(client, "the line is too long", NULL);
		}
		return;
	}
	*newline = '\0';
	client->line_length = 0;
	/* Who has given up waiting, while the master stood still, may have been told that it failed. */
	if (has_gone(client))
		client_free(client);
	else
		request(client);
}

static void
on_output(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	client_flush(watcher->data);
}

static void
on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	client_free(timer->data);
}

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
	struct client *client;
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
	client = may_talk(fd) && control->client_count < CLIENTS_MAX ? calloc(1, sizeof *client)
								     : NULL;
	if (client == NULL) {
		close(fd);
		return;
	}
	client->control = control;
	ev_io_init(&client->input, on_input, fd, EV_READ);
	ev_io_init(&client->output, on_output, fd, EV_WRITE);
	ev_timer_init(&client->patience, on_patience, PATIENCE, 0.);
	/* What it has sent while the master stood still counts. */
	ev_set_priority(&client->patience, -1);
	client->input.data = client->output.data = client->patience.data = client;
	list_append(&control->clients, &client->link);
	control->client_count++;
	ev_io_start(loop, &client->input);
	be_patient(client);
}

/* ---- what the server says ---- */

static void
on_progress(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct control *control = timer->data;
	char end[128], change[128];

	(void)loop, (void)events;
	snprintf(end, sizeof end, "%lu connections are open",
		(unsigned long)fleet_open(&control->master->fleet));
	snprintf(change, sizeof change, "not yet; %u hubs go on accepting",
		fleet_accepting(&control->master->fleet));
	LIST_EACH (link, &control->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->waits == WAITS_END || client->waits == WAITS_CHANGE) {
			const char *text = client->waits == WAITS_END ? end : change;

			client_say(client, '-', text, strlen(text));
			client_flush(client);
		}
	}
}

void
control_changed(struct control *control, const char *why)
{
	if (control == NULL)
		return;
	LIST_EACH (link, &control->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->waits == WAITS_CHANGE)
			client_finish(client, why, "done");
	}
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
choose_path(struct control *control, const char *path)
{
	const struct master *master = control->master;
	size_t size = sizeof control->path;
	const char *folder = path == NULL ? choose_folder() : NULL;
	int length;

	if (path == NULL && folder == NULL) {
		errno = ENOENT;
		return false;
	}
	length = path != NULL ? snprintf(control->path, size, "%s", path)
			      : snprintf(control->path, size, "%s/%s-%u.sock", folder,
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

struct control *
control_inherit(struct master *master, int fd, const char *path)
{
	struct control *control = calloc(1, sizeof *control);

	if (control == NULL)
		return NULL;
	control->master = master;
	control->dump = -1;
	snprintf(control->path, sizeof control->path, "%s", path);
	list_init(&control->clients);
	ev_io_init(&control->listener, on_connect, fd, EV_READ);
	ev_init(&control->progress, on_progress);
	control->progress.repeat = PROGRESS_EVERY;
	ev_timer_init(&control->again, on_again, AGAIN_AFTER, 0.);
	control->again.data = control;
	ev_timer_init(&control->dump_over, on_dump_over, 0., 0.);
	ev_set_priority(&control->dump_over, -1);
	control->listener.data = control->progress.data = control->dump_over.data = control;
	return control;
}

struct control *
control_open(
	struct master *master, const char *path, const struct identity *identity, bool *is_fatal)
{
	struct control *control = control_inherit(master, -1, "");
	int fd = -1;

	*is_fatal = path != NULL;
	if (control != NULL && choose_path(control, path))
		fd = listen_at(control->path, identity);
	if (fd != -1) {
		ev_io_set(&control->listener, fd, EV_READ);
		return control;
	}
	log_write(path != NULL ? LOG_ERROR : LOG_WARNING,
		"cannot open the control socket %s: %s; hubbub-ctl cannot talk to this server "
		"(choose another --control=PATH)",
		control != NULL ? control->path : "", strerror(errno));
	free(control);
	return NULL;
}

void
control_start(struct control *control)
{
	if (control == NULL)
		return;
	if (lstat(control->path, &control->file) != 0)
		control->file = (struct stat){0};
	ev_io_start(loop_of(control), &control->listener);
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
	ev_io_stop(loop_of(control), &control->listener);
	ev_timer_stop(loop_of(control), &control->again);
}

int
control_fd(const struct control *control)
{
	return control != NULL ? control->listener.fd : -1;
}

const char *
control_path(const struct control *control)
{
	return control != NULL ? control->path : "";
}

void
control_close(struct control *control, bool is_ours)
{
	if (control == NULL)
		return;
	LIST_EACH (link, &control->clients)
		client_free(CONTAINER_OF(link, struct client, link));
	ev_io_stop(loop_of(control), &control->listener);
	ev_timer_stop(loop_of(control), &control->again);
	ev_timer_stop(loop_of(control), &control->progress);
	ev_timer_stop(loop_of(control), &control->dump_over);
	if (control->dump != -1)
		close(control->dump);
	close(control->listener.fd);
	if (is_ours && is_own_file(control))
		unlink(control->path);
	free(control);
}

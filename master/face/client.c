/* Output is appended to one buffer and sent by client_flush, which watches for writability only
 * while something is left. One timer serves all limits of time: for the line, between two sends,
 * and for the whole last answer. client_free may be called from any callback, so nothing is touched
 * after it. */
#include "master/face/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "master/base/timer.h"

#define OUTPUT_MAX ((size_t)16 << 20) /* bytes that wait to be sent */
#define SURPLUS_MAX 4096              /* bytes that a client may send after its line */
/* Room that is kept for a last line, since there may be no memory for it when the answer is not
 * whole. */
#define LAST_ROOM 128
/* Seconds: PATIENCE for a client to send its line, and between two times that it reads; ANSWER_TIME
 * to read all of its last answer. */
#define PATIENCE 10.
#define ANSWER_TIME 30.

void
client_free(struct client *client)
{
	ear_stop(client->loop, &client->input);
	ear_stop(client->loop, &client->output);
	ev_timer_stop(client->loop, &client->patience);
	close(client->input.watcher.fd);
	list_remove(&client->link);
	if (client->passes != -1)
		close(client->passes);
	free(client->pending);
	free(client);
}

/* ---- output ---- */

void
client_pass(struct client *client, int fd)
{
	if (client->passes != -1)
		close(client->passes);
	client->passes = fd;
}

/* Sends pending lines, and with the first of their bytes the descriptor. */
static ssize_t
send_pending(struct client *client)
{
	struct iovec part = {client->pending, client->pending_length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	char control[CMSG_SPACE(sizeof client->passes)] = {0};
	ssize_t sent;

	if (client->passes != -1) {
		message.msg_control = control;
		message.msg_controllen = sizeof control;
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &client->passes, sizeof(int));
	}
	sent = sendmsg(client->input.watcher.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		client_pass(client, -1);
	return sent;
}

void
client_flush(struct client *client)
{
	ssize_t sent = 0;

	if (client->pending_length > 0)
		sent = send_pending(client);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		client_free(client);
		return;
	}
	if (sent > 0) {
		client->pending_length -= (size_t)sent;
		memmove(client->pending, client->pending + sent, client->pending_length);
		if (client->phase != CLIENT_ENDS)
			timer_after(client->loop, &client->patience, PATIENCE);
	}
	if (client->pending_length > 0) {
		ear_start(client->loop, &client->output);
	} else {
		ear_stop(client->loop, &client->output);
		if (client->phase == CLIENT_ENDS)
			client_free(client);
	}
}

static const char not_whole[] =
	"the answer is not whole: the server has no memory for it, or it is longer than 16 MiB";

_Static_assert(sizeof not_whole + 1 <= LAST_ROOM, "it has room, with its kind and newline");

/* Makes room for so many more bytes, at least twice what there was: each line would copy all before
 * it otherwise. Returns false without memory, or above OUTPUT_MAX. */
static bool
make_room(struct client *client, size_t length)
{
	size_t needed = client->pending_length + length, room = 2 * client->pending_room;
	char *grown;

	if (needed > OUTPUT_MAX)
		return false;
	if (needed <= client->pending_room)
		return true;
	if (room < needed)
		room = needed;
	grown = realloc(client->pending, room);
	if (grown == NULL)
		return false;
	client->pending = grown;
	client->pending_room = room;
	return true;
}

/* Appends a line if there is room for it and for so much more. Returns whether there was. */
static bool
append(struct client *client, char kind, const char *text, size_t length, size_t more)
{
	char *end;

	if (!make_room(client, length + 2 + more))
		return false;
	end = client->pending + client->pending_length;
	end[0] = kind;
	memcpy(end + 1, text, length);
	end[1 + length] = '\n';
	client->pending_length += length + 2;
	return true;
}

void
client_say(struct client *client, char kind, const char *text, size_t length)
{
	if (!append(client, kind, text, length, LAST_ROOM))
		client->has_lost = client->has_lost || kind == '|';
}

void
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

/* The text may be a service's own, or another master's: a newline in it would begin a line that
 * looks like the last. */
static void
end(struct client *client, char kind, const char *text)
{
	size_t before = client->pending_length;
	bool is_whole = kind != '+' || !client->has_lost;

	if (!is_whole || !append(client, kind, text, strlen(text), 0))
		append(client, '!', not_whole, strlen(not_whole), 0);
	CHECK_WHY(client->pending_length > before, "LAST_ROOM was kept");
	for (size_t i = before + 1; i + 1 < client->pending_length; i++)
		if ((unsigned char)client->pending[i] < ' ')
			client->pending[i] = ' ';
	client->phase = CLIENT_ENDS;
	client->awaits = 0;
	timer_after(client->loop, &client->patience, ANSWER_TIME);
	client_flush(client);
}

void
client_refuse(struct client *client, const char *why)
{
	end(client, '?', why);
}

void
client_finish(struct client *client, const char *why, const char *done)
{
	end(client, why != NULL ? '!' : '+', why != NULL ? why : done);
}

static void
on_output(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	client_flush(watcher->data);
}

/* ---- input ---- */

/* Whether the peer has closed the connection. A peer that has only shut down its sending side is
 * still there. */
static bool
has_gone(const struct client *client)
{
	struct pollfd query = {.fd = client->input.watcher.fd};

	return poll(&query, 1, 0) == 1 && (query.revents & POLLHUP);
}

/* Hands the line to its owner once it is whole. */
static void
look_for_line(struct client *client)
{
	char *newline = memchr(client->line, '\n', client->line_length);

	if (newline == NULL && client->line_length == sizeof client->line - 1) {
		ear_stop(client->loop, &client->input);
		client_finish(client, "the line is too long", NULL);
	}
	if (newline == NULL)
		return;
	*newline = '\0';
	client->line_length = 0;
	/* If the peer hung up while the master was stopped, hubbub-ctl may have said that the
	 * command failed: do not begin it. */
	if (has_gone(client)) {
		client_free(client);
		return;
	}
	ev_timer_stop(client->loop, &client->patience);
	client->phase = CLIENT_WAITS;
	client->on_line(client, client->line, client->context);
}

static void
on_input(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct client *client = watcher->data;
	ssize_t length = recv(watcher->fd, client->line + client->line_length,
		sizeof client->line - 1 - client->line_length, MSG_DONTWAIT);

	(void)loop, (void)events;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A client that has sent its line and shut down its sending side still reads the answer. */
	if (length == 0 && client->phase != CLIENT_ASKS && !has_gone(client)) {
		ear_stop(client->loop, &client->input);
		return;
	}
	if (length <= 0) {
		client_free(client);
		return;
	}
	/* A connection is for one line: what follows it is discarded, up to SURPLUS_MAX. */
	if (client->phase != CLIENT_ASKS) {
		client->surplus += (size_t)length;
		if (client->surplus > SURPLUS_MAX)
			client_free(client);
		return;
	}
	client->line_length += (size_t)length;
	look_for_line(client);
}

/* The client was too slow. */
static void
on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	client_free(timer->data);
}

struct client *
client_new(struct ev_loop *loop, int fd,
	void (*on_line)(struct client *client, char *line, void *context), void *context)
{
	struct client *client = calloc(1, sizeof *client);
	char *pending = malloc(LAST_ROOM);

	if (client == NULL || pending == NULL) {
		free(client);
		free(pending);
		close(fd);
		return NULL;
	}
	list_init(&client->link);
	client->pending = pending;
	client->pending_room = LAST_ROOM;
	client->loop = loop;
	client->on_line = on_line;
	client->context = context;
	client->passes = -1;
	ear_init(&client->input, on_input, fd, EV_READ);
	ear_init(&client->output, on_output, fd, EV_WRITE);
	ev_timer_init(&client->patience, on_patience, PATIENCE, 0.);
	/* A lower priority than input: if the master was stopped, a line that came meanwhile is
	 * read before the timeout counts. */
	ev_set_priority(&client->patience, -1);
	client->input.watcher.data = client->output.watcher.data = client->patience.data = client;
	ear_start(loop, &client->input);
	timer_after(client->loop, &client->patience, PATIENCE);
	return client;
}

/* One worker is asked at a time, and has a time of its own. Its answer is received behind that of
 * the worker before it, and what ends the answer (struct reply_end) is taken off again. Nothing
 * waits: the arguments fit into a new socket, and each turn of the loop receives a bounded part. */
#include "master/face/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "master/base/timer.h"
#include "master/fleet/orders.h"
#include "master/master.h"
#include "worker/reply.h"

#define PART ((size_t)64 * 1024) /* bytes received in a turn of the loop */

static const char nobody[] = "no worker is ready to answer";
static const char taken_over[] = "another master has taken over; ask again";

struct ask {
	struct list link; /* in master.asks */
	struct master *master;
	const struct hubbub_command *command;
	ask_heard *on_answer;
	void *context;
	char arguments[REPLY_ARGUMENTS_SIZE];
	size_t arguments_size;
	unsigned generation; /* whose workers are asked */
	unsigned worker;     /* that is asked now */
	pid_t pid;           /* of that worker */
	struct ear input;    /* on the socket to that worker */
	ev_timer patience;
	char *bytes; /* all that has come; owned */
	size_t length, room;
	size_t start; /* where the answer of that worker begins */
	/* The numbers of workers that should have run the command and were not up: "1, 4". */
	char missed[64];
	char why[MEMO_WHY_SIZE + 64];
};

/* ---- the end ---- */

static void
hang_up(struct ask *ask)
{
	ear_stop(ask->master->loop, &ask->input);
	if (ask->input.watcher.fd != -1)
		close(ask->input.watcher.fd);
	ask->input.watcher.fd = -1;
}

static void
discard(struct ask *ask)
{
	hang_up(ask);
	ev_timer_stop(ask->master->loop, &ask->patience);
	list_remove(&ask->link);
	free(ask->bytes);
	free(ask);
}

static void
finish(struct ask *ask, enum ask_end end)
{
	struct ask_answer answer = {.ask = ask,
		.end = end,
		.why = end != ASK_DONE ? ask->why : NULL,
		.output = ask->bytes != NULL ? ask->bytes : "",
		.length = ask->start};

	ask->on_answer(&answer, ask->context);
	discard(ask);
}

/* A worker of many is named by its number. */
static const char *
name_worker(const struct ask *ask, char name[static 32])
{
	snprintf(name, 32, "worker %u (pid %d)", ask->worker, (int)ask->pid);
	return name;
}

static void
lose(struct ask *ask)
{
	char name[32];

	snprintf(ask->why, sizeof ask->why,
		"%s gave no whole answer: it has ended, or has no memory or file left; the log "
		"says more",
		name_worker(ask, name));
	finish(ask, ASK_LOST);
}

static void
on_late(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct ask *ask = timer->data;
	char name[32];

	(void)loop, (void)events;
	snprintf(ask->why, sizeof ask->why, "%s has not answered in %g seconds",
		name_worker(ask, name), clock_seconds(REPLY_PATIENCE));
	finish(ask, ASK_LATE);
}

/* ---- asking ---- */

/* Opens a socket with the arguments in it, and sends its other end to the worker. Returns whether
 * the worker will find them. */
static bool
send_to(struct ask *ask, struct slot *slot)
{
	struct channel_message message = {
		.kind = CHANNEL_ASK, .value = ask->command - ask->master->service->commands};
	int pair[2];
	bool is_sent;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	is_sent = send(pair[0], ask->arguments, ask->arguments_size, MSG_NOSIGNAL) ==
			  (ssize_t)ask->arguments_size &&
		  shutdown(pair[0], SHUT_WR) == 0 && orders_send(slot, &message, pair[1]);
	close(pair[1]);
	if (!is_sent) {
		close(pair[0]);
		return false;
	}
	ask->worker = slot->index;
	ask->pid = slot->pid;
	timer_after(ask->master->loop, &ask->patience, clock_seconds(REPLY_PATIENCE));
	ear_start_on(ask->master->loop, &ask->input, pair[0]);
	return true;
}

/* Whether the worker can be expected to answer, which its first hub does, whether or not another
 * hub of it hangs. If each worker has to run the command, one that hangs is asked, too: the
 * operator is told that it has not answered. */
static bool
is_at_hand(const struct ask *ask, const struct slot *slot)
{
	if (slot->is_killed ||
		(slot->state != SUPERVISION_READY && slot->state != SUPERVISION_HUNG))
		return false;
	return ask->command->in_each_worker || !slot->hubs[0].is_hung;
}

/* Notes a worker that should have run the command. */
static void
miss(struct ask *ask, unsigned number)
{
	static const char more[] = ", ...";
	size_t length = strlen(ask->missed);

	if (length < sizeof ask->missed - 16 - sizeof more)
		snprintf(ask->missed + length, 16, "%s%u", length > 0 ? ", " : "", number);
	else if (strcmp(ask->missed + length - strlen(more), more) != 0)
		strcpy(ask->missed + length, more);
}

/* The first worker from that number on that is at hand; NULL if there is none. A command for each
 * notes those that it passes over. */
static struct slot *
find_at_hand(struct ask *ask, unsigned number)
{
	const struct generation *serving = ask->master->fleet.serving;

	for (; number < serving->count; number++) {
		if (is_at_hand(ask, serving->slots[number]))
			return serving->slots[number];
		if (ask->command->in_each_worker)
			miss(ask, number);
	}
	return NULL;
}

/* Asks the first worker that can be. One that is up and cannot be reached is not passed over by a
 * command for each. Returns NULL, or why nobody is asked. */
static const char *
ask_first(struct ask *ask)
{
	struct slot *slot = find_at_hand(ask, 0);

	errno = 0;
	while (slot != NULL && !send_to(ask, slot))
		slot = ask->command->in_each_worker ? NULL : find_at_hand(ask, slot->index + 1);
	if (slot != NULL)
		return NULL;
	return errno == EMFILE || errno == ENFILE ? "the master has no file descriptor left"
						  : nobody;
}

/* All that are up have run a command for each. */
static void
finish_each(struct ask *ask)
{
	bool are_several = strchr(ask->missed, ',') != NULL;

	if (ask->missed[0] != '\0')
		snprintf(ask->why, sizeof ask->why,
			"worker%s %s %s not up, and %s not run it; the others have",
			are_several ? "s" : "", ask->missed, are_several ? "are" : "is",
			are_several ? "have" : "has");
	finish(ask, ask->missed[0] != '\0' ? ASK_LOST : ASK_DONE);
}

/* Asks the next worker, or is done if there is none. */
static void
ask_next(struct ask *ask)
{
	struct slot *slot = find_at_hand(ask, ask->worker + 1);

	hang_up(ask);
	if (slot == NULL) {
		finish_each(ask);
	} else if (!send_to(ask, slot)) {
		snprintf(ask->why, sizeof ask->why,
			"worker %u (pid %d) cannot be reached: those before it have run the "
			"command, the others have not",
			slot->index, (int)slot->pid);
		finish(ask, ASK_LOST);
	}
}

/* A worker has answered: asks the next, if the command is for each. */
static void
go_on(struct ask *ask)
{
	const struct generation *serving = ask->master->fleet.serving;

	if (!ask->command->in_each_worker) {
		finish(ask, ASK_DONE);
	} else if (serving == NULL || serving->number != ask->generation) {
		snprintf(ask->why, sizeof ask->why,
			"the workers were replaced meanwhile: those that were asked have run it, "
			"the others have not");
		finish(ask, ASK_LOST);
	} else {
		ask_next(ask);
	}
}

/* ---- the answer ---- */

/* A worker has written all. Its memory is its own, where a stray write may leave anything: what
 * does not fit together is no answer, and the text is ended. */
static void
conclude(struct ask *ask)
{
	size_t length = ask->length - ask->start;
	struct reply_end end;

	if (length < sizeof end) {
		lose(ask);
		return;
	}
	memcpy(&end, ask->bytes + ask->length - sizeof end, sizeof end);
	if (end.length != length - sizeof end) {
		lose(ask);
		return;
	}
	end.why[sizeof end.why - 1] = '\0';
	ask->length -= sizeof end;
	ask->start = ask->length;
	if (!end.has_failed) {
		go_on(ask);
		return;
	}
	if (ask->command->in_each_worker)
		snprintf(ask->why, sizeof ask->why, "worker %u: %s", ask->worker, end.why);
	else
		snprintf(ask->why, sizeof ask->why, "%s", end.why);
	finish(ask, end.is_bad_usage ? ASK_REFUSED : ASK_FAILED);
}

/* Makes room for another part. Returns false without memory. */
static bool
make_room(struct ask *ask)
{
	size_t room = ask->room == 0 ? 2 * PART : 2 * ask->room;
	char *grown;

	if (ask->room - ask->length >= PART)
		return true;
	grown = realloc(ask->bytes, room);
	if (grown == NULL)
		return false;
	ask->bytes = grown;
	ask->room = room;
	return true;
}

static void
on_input(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct ask *ask = watcher->data;
	ssize_t got;

	(void)loop, (void)events;
	if (!make_room(ask)) {
		lose(ask);
		return;
	}
	got = recv(watcher->fd, ask->bytes + ask->length, PART, MSG_DONTWAIT);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conclude(ask);
		return;
	}
	ask->length += (size_t)got;
	if (ask->length > REPLY_MOST + sizeof(struct reply_end)) {
		snprintf(ask->why, sizeof ask->why, "the output is longer than 1 MiB");
		finish(ask, ASK_FAILED);
	}
}

/* ---- the table ---- */

static unsigned
count(const struct list *asks)
{
	unsigned count = 0;

	LIST_EACH (link, asks)
		count++;
	return count;
}

struct ask *
ask_begin(struct master *master, unsigned most, const struct hubbub_command *command,
	const char *arguments, size_t size, ask_heard *on_answer, void *context, const char **why)
{
	const struct generation *serving = master->fleet.serving;
	struct ask *ask;

	CHECK(size <= REPLY_ARGUMENTS_SIZE);
	CHECK_WHY(size == 0 || arguments[size - 1] == '\0', "a NUL ends each argument");
	/* Clients of before the hand-over still ask this master. */
	*why = master->phase == MASTER_HANDED_OVER ? taken_over : nobody;
	if (serving == NULL)
		return NULL;
	*why = "too many commands of the service are under way; try again";
	if (count(&master->asks) >= most)
		return NULL;
	*why = "no memory";
	ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return NULL;
	ask->master = master;
	ask->command = command;
	ask->on_answer = on_answer;
	ask->context = context;
	ask->generation = serving->number;
	ask->arguments_size = size;
	memcpy(ask->arguments, arguments, size);
	list_append(&master->asks, &ask->link);
	ear_init(&ask->input, on_input, -1, EV_READ);
	ev_init(&ask->patience, on_late);
	/* If the master was stopped, an answer that came meanwhile is received before the time
	 * counts. */
	ev_set_priority(&ask->patience, -1);
	ask->input.watcher.data = ask->patience.data = ask;
	*why = ask_first(ask);
	if (*why != NULL) {
		discard(ask);
		return NULL;
	}
	return ask;
}

void
ask_drop_all(struct master *master)
{
	LIST_EACH (link, &master->asks) {
		struct ask *ask = CONTAINER_OF(link, struct ask, link);

		snprintf(ask->why, sizeof ask->why, "%s",
			master->phase == MASTER_HANDED_OVER
				? "another master has taken over; the command may have run"
				: "the server has ended");
		finish(ask, ASK_LOST);
	}
}

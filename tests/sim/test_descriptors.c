/* Random waits for descriptors, in random worlds: by every call that can wait for one, or for
 * several, while the files behind them receive bytes, end, fill up, are ended by the hub, released,
 * and closed in the hub's knowledge and behind its back, so that their numbers are soon those of
 * other files. What a wait tells is so when it tells it; it tells it at once, and never of another
 * file; and no wait outlasts what it waits for. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/sim/lines.h"
#include "tests/sim/worlds.h"

enum { WORLDS = 300, WAITERS = 8, CHANGES = 250, MOST = 4 };

#define PROMPT (10 * HUB_MILLISECOND)
#define PATIENCE (60 * HUB_SECOND)

TestSuite(random_descriptors, .timeout = 120);

/* What a waiter waits for. */
struct watch {
	struct line *line;
	int fd;
	unsigned opening;
	short events;
};

struct waiter {
	struct hub_coroutine *coroutine;
	const char *call;
	struct watch watches[MOST];
	unsigned count;
	int64_t began;
	int64_t limit; /* nanoseconds */
	int64_t ends;  /* the scope around the call */
	bool is_killed, is_interrupted;
};

static struct waiter waiters[WAITERS];
static const char receiving[] = "recv";
static struct hub_event event;
static bool is_over;

/* ---- what must be so ---- */

static bool
is_same(const struct watch *watch)
{
	return watch->line->near != -1 && watch->line->opening == watch->opening;
}

static void
told(const struct waiter *waiter, const struct watch *watch, int events)
{
	if (!is_same(watch))
		wrong("%s: descriptor %d is told ready, but was closed", waiter->call, watch->fd);
	else if (line_ready_since(watch->line, (short)events) == HUB_FOREVER)
		wrong("%s: descriptor %d is told ready for %d, and is not", waiter->call, watch->fd,
			events);
}

/* A call has returned: what it waited for has not been so for long. */
static void
was_prompt(const struct waiter *waiter)
{
	int64_t now = hub_now();

	if (in_trouble() || waiter->began == HUB_FOREVER)
		return;
	for (unsigned i = 0; i < waiter->count; i++) {
		const struct watch *watch = &waiter->watches[i];
		int64_t since =
			is_same(watch) ? line_ready_since(watch->line, watch->events) : HUB_FOREVER;

		if (since < waiter->began)
			since = waiter->began;
		/* Such a wait may begin without asking whether the file is the same. */
		if (waiter->call == receiving && watch->line->is_doubtful)
			continue;
		if (since < now - PROMPT)
			wrong("%s: descriptor %d has been ready for %d for %ld us, untold",
				waiter->call, watch->fd, watch->events, (long)(now - since) / 1000);
	}
}

/* Whether a call may fail so. */
static void
failed_well(struct waiter *waiter, int error)
{
	bool is_closed = false;

	for (unsigned i = 0; i < waiter->count; i++)
		is_closed = is_closed || !is_same(&waiter->watches[i]);
	if ((error == EBADF && is_closed) || (error == ECANCELED && waiter->is_killed) ||
		(error == EINTR && waiter->is_interrupted) ||
		(error == ETIMEDOUT && hub_now() >= waiter->ends))
		return;
	if (in_trouble() &&
		(error == ENOMEM || error == ENOBUFS || error == ENOSPC || error == EINTR))
		return;
	wrong("%s: descriptor %d: errno %d", waiter->call, waiter->watches[0].fd, error);
}

/* ---- the calls ---- */

static void
begin(struct waiter *waiter, const char *call)
{
	waiter->call = call;
	waiter->began = hub_now();
}

/* A call for one descriptor, which the hub gets to know, as it need not by those for several. */
static void
begin_one(struct waiter *waiter, const char *call)
{
	waiter->count = 1;
	waiter->watches[0].line->is_known = true;
	begin(waiter, call);
}

static void
call_wait_fd(struct waiter *waiter)
{
	struct watch *watch = &waiter->watches[0];
	int ready;

	if (watch->events == 0)
		watch->events = POLLIN;
	begin_one(waiter, "wait_fd");
	ready = hub_wait_fd(watch->fd, watch->events);
	if (ready > 0)
		told(waiter, watch, ready);
	else
		failed_well(waiter, errno);
}

static void
call_await_fd(struct waiter *waiter)
{
	struct watch *watch = &waiter->watches[0];

	watch->events = once_in(2) ? POLLIN : POLLOUT;
	/* It does not ask first: that has been done. */
	if (line_ready_since(watch->line, watch->events) != HUB_FOREVER ||
		(watch->events == POLLOUT && watch->line->is_pipe))
		return;
	begin_one(waiter, "await_fd");
	if (hub_await_fd(watch->fd, watch->events, waiter->limit) == -1 && errno != ESHUTDOWN)
		failed_well(waiter, errno);
}

static void
call_poll(struct waiter *waiter)
{
	struct pollfd fds[MOST];
	int ready;

	for (unsigned i = 0; i < waiter->count; i++)
		fds[i] = (struct pollfd){
			.fd = waiter->watches[i].fd, .events = waiter->watches[i].events};
	begin(waiter, "poll");
	ready = hub_poll(
		fds, waiter->count, once_in(3) ? -1 : (int)(waiter->limit / HUB_MILLISECOND));
	if (ready == -1)
		failed_well(waiter, errno);
	for (unsigned i = 0; ready > 0 && i < waiter->count; i++) {
		const struct watch *watch = &waiter->watches[i];

		if (fds[i].revents == POLLNVAL && is_same(watch))
			wrong("poll: descriptor %d is open, and told closed", watch->fd);
		else if (fds[i].revents != 0 && fds[i].revents != POLLNVAL)
			told(waiter, watch, fds[i].revents & watch->events);
	}
}

static void
call_select(struct waiter *waiter)
{
	struct hub_case cases[MOST + 1];
	unsigned count = waiter->count;
	int chosen;

	for (unsigned i = 0; i < count; i++)
		cases[i] = hub_case_fd(waiter->watches[i].fd, waiter->watches[i].events);
	if (once_in(2))
		cases[count++] = hub_case_event(&event);
	begin(waiter, "select");
	chosen = hub_select(cases, count, once_in(3) ? HUB_FOREVER : waiter->limit);
	if (chosen == -1 && errno != EAGAIN)
		failed_well(waiter, errno);
	if (chosen == -1 || chosen == (int)waiter->count)
		return;
	if (cases[chosen].error != 0)
		failed_well(waiter, cases[chosen].error);
	else
		told(waiter, &waiter->watches[chosen], waiter->watches[chosen].events);
}

static void
received(const struct watch *watch, const unsigned char *bytes, size_t count)
{
	struct line *line = watch->line;

	if (!is_same(watch))
		wrong("descriptor %d was closed, and something is received", watch->fd);
	else if (count > 0)
		line_received(line, bytes, count);
	/* In trouble bytes may seem to arrive later than they were sent. */
	else if ((line->bytes > 0 && !(in_trouble() && line->is_ended_by_hub)) ||
		 (!line->has_ended && !line->is_ended_by_hub))
		wrong("descriptor %d has not ended, and its end is received", watch->fd);
}

static void
call_receive(struct waiter *waiter)
{
	const struct watch *watch = &waiter->watches[0];
	struct line *line = watch->line;
	unsigned char bytes[500];
	size_t size = 1 + below(sizeof bytes);
	ssize_t got;

	waiter->watches[0].events = POLLIN;
	begin_one(waiter, receiving);
	line->receiving++;
	got = line->is_pipe || once_in(2) ? hub_read(watch->fd, bytes, size)
					  : hub_recv(watch->fd, bytes, size, 0);
	line->receiving--;
	/* The far end has gone with bytes that it had not received. */
	if (got == -1 && errno == ECONNRESET && line->far == -1)
		return;
	if (got == -1)
		failed_well(waiter, errno);
	else
		received(watch, bytes, (size_t)got);
}

static void
call_send(struct waiter *waiter)
{
	const struct watch *watch = &waiter->watches[0];
	char byte = 0;

	waiter->watches[0].events = POLLOUT;
	if (watch->line->is_pipe)
		return;
	begin_one(waiter, "send");
	if (hub_send(watch->fd, &byte, 1, 0) == -1 && errno != EPIPE && errno != ECONNRESET)
		failed_well(waiter, errno);
}

/* ---- waiters ---- */

/* Draws what to wait for; returns false if all that is closed. */
static bool
choose(struct waiter *waiter)
{
	unsigned wanted = 1 + below(MOST);

	waiter->count = 0;
	for (unsigned i = 0; i < wanted; i++) {
		struct line *line = &lines[below(LINES)];

		if (line->near == -1)
			continue;
		waiter->watches[waiter->count++] = (struct watch){line, line->near, line->opening,
			line->is_pipe || once_in(2) ? POLLIN : (short)(once_in(3) ? 0 : POLLOUT)};
	}
	return waiter->count > 0;
}

static void *
wait_often(void *argument)
{
	static void (*const calls[])(struct waiter * waiter) = {
		call_wait_fd, call_await_fd, call_poll, call_select, call_receive, call_send};
	struct waiter *waiter = argument;
	struct hub_timeout scope;

	while (!is_over && !waiter->is_killed && !is_wrong()) {
		if (hub_sleep(below(4) * HUB_MILLISECOND) != 0 || !choose(waiter))
			continue;
		waiter->began = HUB_FOREVER;
		waiter->limit = once_in(4) ? HUB_FOREVER : (1 + below(100)) * HUB_MILLISECOND;
		waiter->ends = once_in(2) || waiter->limit == HUB_FOREVER
				       ? HUB_FOREVER
				       : hub_now() + waiter->limit;
		hub_timeout_start(
			&scope, waiter->ends == HUB_FOREVER ? HUB_FOREVER : waiter->limit);
		calls[below(sizeof calls / sizeof *calls)](waiter);
		hub_timeout_stop(&scope);
		was_prompt(waiter);
		waiter->is_interrupted = false;
	}
	return NULL;
}

static void
join(struct waiter *waiter)
{
	if (hub_join_for(waiter->coroutine, NULL, PATIENCE) == 0)
		return;
	wrong("%s: descriptor %d is waited for, for ever", waiter->call, waiter->watches[0].fd);
	hub_kill(waiter->coroutine);
	hub_join(waiter->coroutine, NULL);
}

static void
start(struct waiter *waiter)
{
	*waiter = (struct waiter){.call = "nothing"};
	waiter->coroutine = hub_spawn(wait_often, waiter);
}

static void
disturb(struct waiter *waiter)
{
	if (once_in(2)) {
		waiter->is_interrupted |= hub_interrupt(waiter->coroutine);
		return;
	}
	waiter->is_killed = true;
	hub_kill(waiter->coroutine);
	join(waiter);
	start(waiter);
}

static void *
body(void *unused)
{
	is_over = false;
	hub_event_init(&event);
	lines_open();
	for (int i = 0; i < WAITERS; i++)
		start(&waiters[i]);
	for (int i = 0; i < CHANGES && !is_wrong(); i++) {
		line_change(&lines[below(LINES)]);
		if (once_in(10))
			disturb(&waiters[below(WAITERS)]);
		if (once_in(10))
			hub_event_set(&event);
		else
			hub_event_clear(&event);
		if (!once_in(3))
			hub_sleep(below(once_in(10) ? 80 : 3) * HUB_MILLISECOND);
	}
	is_over = true;
	lines_end();
	for (int i = 0; i < WAITERS; i++)
		join(&waiters[i]);
	lines_close();
	return unused;
}

Test(random_descriptors, are_told_of_as_they_are)
{
	in_worlds(body, WORLDS);
}

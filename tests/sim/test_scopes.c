/* Random scopes, shields and coroutines that are driven by others, one in the other, around random
 * waits, in random worlds, while the coroutines are killed. A model of its own says when each call
 * must end, and why: at the earliest deadline that no shield holds off, of its coroutine or of one
 * that drives it, or at its kill; neither before nor long after. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/sim/worlds.h"

enum { WORLDS = 16, ACTORS = 4, STEPS = 8, DEPTH_MOST = 7 };

#define TIME_MOST (40 * HUB_MILLISECOND)
#define SPIN_MOST (100 * HUB_MILLISECOND)
/* A call that ends so long after it must is late: others compute, and coroutines may be slow. */
#define LATE (60 * HUB_MILLISECOND)
/* The model looks at the clock a little later than the hub does, and timers are doubles. */
#define GRAIN (200 * HUB_MICROSECOND)
#define PATIENCE (60 * HUB_SECOND)

TestSuite(random_scopes, .timeout = 120);

/* What is around a call, the innermost first. What is inside of a driver's frame runs in a raw
 * coroutine, which the one outside drives. */
struct frame {
	struct frame *outer;
	enum { FRAME_SCOPE, FRAME_SHIELD, FRAME_DRIVER } kind;
	int64_t deadline;
	bool was_cause; /* a call has failed because of it */
};

struct actor {
	struct hub_coroutine *coroutine;
	struct frame *innermost;
	unsigned depth;
	int64_t killed_at; /* HUB_FOREVER: it was not */
};

static struct actor actors[ACTORS];

/* What never happens, and nobody gives. */
static struct {
	struct hub_event event;
	struct hub_semaphore semaphore;
	struct hub_lock lock;
	struct hub_channel channel;
	struct hub_queue *queue;
	struct hub_result result;
	int pair[2];
} never;

/* ---- the model ---- */

/* What a call fails with at that time; 0: nothing. */
static int
interrupt_at(const struct actor *actor, int64_t now)
{
	int found = 0;

	for (const struct frame *each = actor->innermost; each != NULL; each = each->outer) {
		if (each->kind == FRAME_SHIELD || (each->kind == FRAME_DRIVER && found != 0))
			return found;
		if (each->kind == FRAME_SCOPE && each->deadline <= now)
			found = ETIMEDOUT;
	}
	return actor->killed_at <= now ? ECANCELED : found;
}

/* Whether its kill reaches a call. Noticed first, it is what the call fails with. */
static bool
is_killed(const struct actor *actor)
{
	for (const struct frame *each = actor->innermost; each != NULL; each = each->outer)
		if (each->kind == FRAME_SHIELD)
			return false;
	return actor->killed_at != HUB_FOREVER;
}

/* When a call must end; *cause is the scope that ends it, or NULL. */
static int64_t
end_of(const struct actor *actor, struct frame **cause)
{
	int64_t end = HUB_FOREVER;

	*cause = NULL;
	for (struct frame *each = actor->innermost; each != NULL; each = each->outer) {
		if (each->kind == FRAME_SHIELD)
			return end;
		if (each->kind == FRAME_SCOPE && each->deadline < end) {
			end = each->deadline;
			*cause = each;
		}
	}
	return actor->killed_at < end ? actor->killed_at : end;
}

/* A scope has ended a call. Of several any may have been noticed. */
static void
note_cause(struct actor *actor, int64_t now)
{
	struct frame *cause = NULL;

	for (struct frame *each = actor->innermost; each != NULL && each->kind != FRAME_SHIELD;
		each = each->outer) {
		if (each->kind != FRAME_SCOPE || each->deadline > now + GRAIN)
			continue;
		if (cause != NULL)
			return;
		cause = each;
	}
	if (cause != NULL)
		cause->was_cause = true;
}

/* The call has returned: 0, when its own time was over, or an errno. */
static void
judge(struct actor *actor, const char *what, int64_t began, int64_t own_end, int error)
{
	struct frame *cause;
	int64_t now = hub_now(), end = end_of(actor, &cause);
	int64_t due = end > began ? end : began;

	/* An object says by the same errno that its own time is over. */
	if (error == 0 || (error == ETIMEDOUT && now >= own_end && end >= own_end)) {
		if (now < own_end - GRAIN)
			wrong("%s ends %ld us early", what, (long)(own_end - now) / 1000);
		if (cause != NULL && cause->deadline < own_end - GRAIN)
			wrong("%s lasts %ld us longer than a scope allows", what,
				(long)(own_end - cause->deadline) / 1000);
		return;
	}
	if (due > now + GRAIN)
		wrong("%s fails with errno %d, and nothing has interrupted it", what, error);
	else if (error != interrupt_at(actor, now + GRAIN) && error != interrupt_at(actor, due) &&
		 !(error == ECANCELED && is_killed(actor)))
		wrong("%s fails with errno %d instead of %d", what, error,
			interrupt_at(actor, now + GRAIN));
	else if (now > due + LATE)
		wrong("%s ends %ld us late", what, (long)(now - due) / 1000);
	if (error == ETIMEDOUT)
		note_cause(actor, now);
}

/* ---- calls ---- */

/* They return 0 when their time is over, or -1 with an errno; 1 if they find out nothing. */
static int
call_sleep(int64_t time)
{
	return hub_sleep(time);
}

static int
call_event(int64_t time)
{
	return hub_event_wait_for(&never.event, time);
}

static int
call_semaphore(int64_t time)
{
	return hub_semaphore_acquire_for(&never.semaphore, time);
}

static int
call_lock(int64_t time)
{
	return hub_lock_acquire_for(&never.lock, time);
}

static int
call_channel(int64_t time)
{
	return hub_channel_put_for(&never.channel, &never, time);
}

static int
call_queue(int64_t time)
{
	void *item;

	return hub_queue_get_for(never.queue, &item, time);
}

static int
call_result(int64_t time)
{
	return hub_result_get_for(&never.result, NULL, NULL, time);
}

static int
call_select(int64_t time)
{
	struct hub_case cases[] = {
		hub_case_event(&never.event), hub_case_fd(never.pair[0], POLLIN)};
	int chosen = hub_select(cases, 1 + below(2), time);

	return chosen == -1 && errno == EAGAIN ? 0 : -1;
}

static int
call_poll(int64_t time)
{
	struct pollfd one = {.fd = never.pair[0], .events = POLLIN};

	return hub_poll(&one, below(2), (int)(time / HUB_MILLISECOND));
}

static int
call_await(int64_t time)
{
	return hub_await_fd(never.pair[0], POLLIN, time);
}

static const struct {
	const char *name;
	int (*call)(int64_t time);
} calls[] = {
	{"sleep", call_sleep},
	{"event", call_event},
	{"semaphore", call_semaphore},
	{"lock", call_lock},
	{"channel", call_channel},
	{"queue", call_queue},
	{"result", call_result},
	{"select", call_select},
	{"poll", call_poll},
	{"await", call_await},
};

static void
wait_somehow(struct actor *actor)
{
	unsigned which = below(sizeof calls / sizeof *calls);
	int64_t time = (1 + below(TIME_MOST / HUB_MILLISECOND)) * HUB_MILLISECOND;
	int64_t began = hub_now();
	int result = calls[which].call(time), error = result == 0 ? 0 : errno;

	/* In trouble the descriptor seems to be ready. */
	if (result == 1)
		return;
	judge(actor, calls[which].name, began, began + time, error);
	/* A kill that comes before a sleeper has run is what it returns. */
	if (which == 0 && error == 0 && interrupt_at(actor, hub_now()) == ECANCELED)
		wrong("a sleeper was killed, and is not told");
}

/* Nothing but its scopes and its kill ends the wait. */
static void
wait_for_ever(struct actor *actor)
{
	struct frame *cause;
	int64_t began = hub_now();
	bool receives = once_in(2);
	char byte;
	int result;

	if (end_of(actor, &cause) == HUB_FOREVER)
		return;
	result =
		receives ? (int)hub_recv(never.pair[0], &byte, 1, 0) : hub_event_wait(&never.event);
	/* In trouble the kernel refuses to receive, too: recv(2) names the errno. */
	if (receives && result == -1 && errno == ENOMEM)
		return;
	judge(actor, "a wait", began, HUB_FOREVER, result == 0 ? 0 : errno);
}

/* Whoever never has to wait learns that its time is over, too. */
static void
spin(struct actor *actor)
{
	struct frame *cause;
	int64_t began = hub_now(), until = began + below(SPIN_MOST);
	bool yields = once_in(2);

	while (hub_now() < until && !is_wrong()) {
		int result = yields ? hub_sleep(0) : hub_yield_due();

		if (result != 0) {
			judge(actor, "a spin", began, HUB_FOREVER, errno);
			return;
		}
		if (hub_now() - LATE > began && hub_now() - LATE > end_of(actor, &cause))
			wrong("whoever %s never learns that its time is over",
				yields ? "sleeps for 0" : "yields if due");
		for (int64_t end = hub_now() + below(once_in(2) ? 50 : 400) * HUB_MICROSECOND;
			hub_now() < end;)
			continue;
	}
}

/* ---- frames ---- */

static void live(struct actor *actor);

static void
in_scope(struct actor *actor)
{
	int64_t time = once_in(4) ? HUB_FOREVER : below((1 + below(8)) * TIME_MOST);
	struct hub_timeout scope;
	struct frame frame = {actor->innermost, FRAME_SCOPE, HUB_FOREVER, false};
	bool has_expired;

	hub_timeout_start(&scope, time);
	if (time != HUB_FOREVER)
		frame.deadline = hub_now() + time;
	actor->innermost = &frame;
	live(actor);
	actor->innermost = frame.outer;
	has_expired = hub_timeout_stop(&scope);
	if (has_expired && frame.deadline > hub_now() + GRAIN)
		wrong("a scope expires early");
	if (!has_expired && frame.was_cause)
		wrong("a scope has ended a call, and does not say so");
}

static void
in_shield(struct actor *actor)
{
	struct hub_timeout shield;
	struct frame frame = {actor->innermost, FRAME_SHIELD, HUB_FOREVER, false};

	hub_shield_start(&shield);
	actor->innermost = &frame;
	live(actor);
	actor->innermost = frame.outer;
	hub_shield_stop(&shield);
}

static void *
be_driven(void *argument)
{
	live(argument);
	return NULL;
}

static void
in_driven(struct actor *actor)
{
	struct frame frame = {actor->innermost, FRAME_DRIVER, HUB_FOREVER, false};
	struct hub_coroutine *raw = hub_new(be_driven);

	if (raw == NULL)
		return;
	actor->innermost = &frame;
	hub_switch(raw, actor);
	actor->innermost = frame.outer;
	hub_free(raw);
}

static void
catch_kill(struct actor *actor)
{
	if (hub_current() != actor->coroutine)
		return;
	if (hub_catch_kill() != (actor->killed_at != HUB_FOREVER))
		wrong("a kill is caught that was none, or not caught");
	actor->killed_at = HUB_FOREVER;
}

static void (*const steps[])(struct actor *actor) = {wait_somehow, wait_somehow, wait_somehow,
	wait_for_ever, spin, catch_kill, in_shield, in_scope, in_scope, in_scope, in_driven,
	in_driven, in_driven};
enum { KINDS = sizeof steps / sizeof *steps, KINDS_FLAT = 6 };

static void
live(struct actor *actor)
{
	unsigned kinds = ++actor->depth < DEPTH_MOST ? KINDS : KINDS_FLAT;

	for (unsigned left = 1 + below(STEPS / actor->depth + 1); left > 0 && !is_wrong(); left--)
		steps[below(kinds)](actor);
	actor->depth--;
}

/* ---- a world ---- */

static void *
act(void *argument)
{
	live(argument);
	((struct actor *)argument)->coroutine = NULL;
	return NULL;
}

static void
open_never(void)
{
	memset(&never, 0, sizeof never);
	/* In trouble there may be none at first. */
	while (socketpair(AF_UNIX, SOCK_STREAM, 0, never.pair) != 0)
		continue;
	while ((never.queue = hub_queue_new(HUB_QUEUE_FIFO, 1)) == NULL)
		continue;
	hub_lock_acquire(&never.lock);
}

static void *
body(void *unused)
{
	struct hub_coroutine *coroutines[ACTORS];

	open_never();
	for (int i = 0; i < ACTORS; i++) {
		actors[i] = (struct actor){.killed_at = HUB_FOREVER};
		actors[i].coroutine = coroutines[i] = hub_spawn(act, &actors[i]);
	}
	for (unsigned left = below(10); left > 0; left--) {
		struct actor *actor = &actors[below(ACTORS)];

		hub_sleep(below(TIME_MOST));
		if (actor->coroutine == NULL || actor->killed_at != HUB_FOREVER)
			continue;
		actor->killed_at = hub_now();
		hub_kill(actor->coroutine);
	}
	for (int i = 0; i < ACTORS; i++)
		if (hub_join_for(coroutines[i], NULL, PATIENCE) != 0) {
			wrong("an actor does not end");
			hub_kill(coroutines[i]);
			hub_join(coroutines[i], NULL);
		}
	hub_lock_release(&never.lock);
	hub_queue_free(never.queue);
	hub_close(never.pair[0]);
	hub_close(never.pair[1]);
	return unused;
}

Test(random_scopes, end_calls_when_they_must)
{
	in_worlds(body, WORLDS);
}

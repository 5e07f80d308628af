/* Random coroutines that never have to wait, in random worlds: each computes for a while, fast or
 * slowly, and then makes a call that can go on at once. However fast they have been before, they
 * leave the others their turns: none holds the hub for longer than its slice and its steps allow,
 * and whoever sleeps beside them wakes in time. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/worlds.h"

enum { WORLDS = 20, GREEDY = 4, SLEEPERS = 3 };

#define LASTS (300 * HUB_MILLISECOND)
#define SLICE HUB_MILLISECOND
#define SLICE_MAX (16 * HUB_MILLISECOND)
#define STEP_MAX (5 * HUB_MILLISECOND)
#define SLOW (SLICE / 4)
/* So many calls may be made before the clock is looked at, while nobody else watches the hub. */
#define UNWATCHED 4
/* After so many slow calls in a row, each looks at the clock. */
#define STEADY 8
#define SLACK INT64_C(50000)

TestSuite(random_turns, .timeout = 120);

static int pair[2], ends[2];
static struct hub_event event;
static int64_t over_at;
static unsigned turns; /* of the one that is always runnable */

/* ---- calls that can go on at once ---- */

static void
call_yield_due(void)
{
	hub_yield_due();
}

static void
call_receive(void)
{
	char byte;

	hub_recv(pair[0], &byte, 1, MSG_PEEK);
}

static void
call_send(void)
{
	char byte = 0;

	hub_send(pair[0], &byte, 1, 0);
	recv(pair[1], &byte, 1, MSG_DONTWAIT);
}

static void
call_pipe(void)
{
	char byte = 0;

	if (write(ends[1], &byte, 1) == 1)
		hub_read(ends[0], &byte, 1);
}

static void
call_wait_fd(void)
{
	hub_wait_fd(pair[0], POLLIN);
}

static void
call_poll(void)
{
	struct pollfd fds[] = {{pair[0], POLLIN, 0}, {ends[0], POLLIN, 0}};

	hub_poll(fds, 2, -1);
}

static void
call_select(void)
{
	struct hub_case cases[] = {hub_case_event(&event), hub_case_fd(ends[0], POLLIN)};

	hub_select(cases, 2, HUB_FOREVER);
}

static const struct {
	const char *name;
	void (*call)(void);
	int64_t slice; /* after which it lets others run, at the next look at the clock */
} calls[] = {
	{"yield_due", call_yield_due, SLICE},
	{"recv", call_receive, SLICE_MAX},
	{"send", call_send, SLICE_MAX},
	{"read", call_pipe, SLICE_MAX},
	{"wait_fd", call_wait_fd, SLICE_MAX},
	{"poll", call_poll, SLICE_MAX},
	{"select", call_select, SLICE_MAX},
};

/* ---- who makes them ---- */

struct greedy {
	struct hub_coroutine *coroutine;
	unsigned call;
	unsigned slow;  /* calls in a row */
	unsigned held;  /* calls since others ran */
	unsigned turns; /* when others ran last */
	int64_t since;  /* when they had run */
};

static void
compute(int64_t nanoseconds)
{
	for (int64_t end = hub_now() + nanoseconds; nanoseconds > 0 && hub_now() < end;)
		continue;
}

/* The call has returned: if the others have not run, that was not due. In trouble a call may fail
 * before it would let them run. */
static void
was_due(struct greedy *greedy, int64_t step)
{
	bool is_steady = greedy->slow > (greedy->call == 0 ? STEADY : UNWATCHED);
	int64_t now = hub_now(), held = now - greedy->since;
	int64_t slice = calls[greedy->call].slice + SLACK;

	if (greedy->turns != turns) {
		greedy->turns = turns;
		greedy->since = now;
		greedy->held = 0;
	} else if (!in_trouble() && held > slice + (is_steady ? 0 : UNWATCHED * step)) {
		wrong("%s: after %u calls and %ld us, the last of %ld us, nobody else has run",
			calls[greedy->call].name, greedy->held, (long)held / 1000,
			(long)step / 1000);
	}
}

static int64_t
draw_step(void)
{
	return once_in(3) ? 0 : below(once_in(2) ? SLOW / 10 : STEP_MAX);
}

static void *
be_greedy(void *argument)
{
	struct greedy *greedy = argument;
	int64_t step = 0;
	unsigned left = 0;

	greedy->since = hub_now();
	greedy->turns = turns;
	while (hub_now() < over_at && !is_wrong()) {
		int64_t began = hub_now();

		if (left-- == 0) {
			step = draw_step();
			left = 1 + below(step > SLOW ? 20 : 500);
			greedy->held = 0;
			greedy->since = began;
		}
		compute(step);
		greedy->held++;
		greedy->slow = hub_now() - began > SLOW ? greedy->slow + 1 : 0;
		calls[greedy->call].call();
		was_due(greedy, step);
	}
	return NULL;
}

static void *
be_runnable(void *unused)
{
	while (hub_sleep(0) == 0)
		turns++;
	return unused;
}

/* Whoever is runnable runs when each other has had a slice and its steps. */
static void *
sleep_beside(void *unused)
{
	int64_t late_most = (GREEDY + 1) * (SLICE_MAX + UNWATCHED * STEP_MAX);

	while (hub_now() < over_at && !is_wrong()) {
		int64_t due = hub_now() + (1 + below(10)) * HUB_MILLISECOND;

		hub_sleep(due - hub_now());
		if (hub_now() - due > late_most)
			wrong("a sleeper wakes %ld us late", (long)(hub_now() - due) / 1000);
	}
	return unused;
}

static void *
body(void *unused)
{
	struct greedy greedy[GREEDY] = {0};
	struct hub_coroutine *sleepers[SLEEPERS], *runnable;
	unsigned count = 1 + below(GREEDY);

	/* In trouble there may be none at first. */
	while (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		continue;
	while (pipe2(ends, O_NONBLOCK) != 0)
		continue;
	while (hub_send(pair[1], "x", 1, 0) != 1)
		continue;
	hub_event_init(&event);
	hub_event_set(&event);
	over_at = hub_now() + LASTS;
	runnable = hub_spawn(be_runnable, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		sleepers[i] = hub_spawn(sleep_beside, NULL);
	/* One of them calls hub_yield_due, whose callers share a count. */
	for (unsigned i = 0; i < count; i++) {
		greedy[i].call = i == 0 ? 0 : 1 + below(sizeof calls / sizeof *calls - 1);
		greedy[i].coroutine = hub_spawn(be_greedy, &greedy[i]);
	}
	for (unsigned i = 0; i < count; i++)
		hub_join(greedy[i].coroutine, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		hub_join(sleepers[i], NULL);
	hub_kill(runnable);
	hub_join(runnable, NULL);
	for (int i = 0; i < 2; i++) {
		hub_close(pair[i]);
		hub_close(ends[i]);
	}
	return unused;
}

Test(random_turns, are_left_to_others)
{
	in_worlds(body, WORLDS);
}

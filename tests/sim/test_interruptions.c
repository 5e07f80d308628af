/* Every blocking call of the library, each ended by every kind of event, in many worlds: several
 * calls at a time, in an order that is drawn, at times that are drawn. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hubbub/hub.h>
#include <hubbub/sim.h>

#include "tests/sim/seeds.h"
#include "tests/unit/hub/blocking.h"

#define SEEDS 25
#define PATIENCE (1000 * HUB_SECOND)

TestSuite(interruptions, .timeout = 300);

enum { CALLS_MOST = 120, GROUP_MOST = 8 };

/* The world's descriptors, and the hub's own among them. */
enum { FIRST = 512, FIRST_OWN = 768 };

enum event { KILL, SCOPE, KILL_AND_SCOPE, INTERRUPT, EXPIRED, BY_THE_WORLD, CLOSE, EVENTS };

static const char *const names[EVENTS] = {"a kill", "a scope", "a kill and a scope", "an interrupt",
	"an expired scope", "the world", "a close"};

/* A call, in a coroutine of its own. */
struct trial {
	const struct blocking_call *call;
	enum event event;
	struct hub_coroutine *coroutine;
	int result, error;
	bool has_expired;
};

static const struct blocking_call *calls[CALLS_MOST];
static size_t call_count;
static const struct blocking_call *idle; /* waits only while others are runnable */
static char complaint[200];              /* the first; empty: none */

static int64_t
some_time(void)
{
	return (int64_t)hub_sim_draw(3) * (int64_t)hub_sim_draw(2 * HUB_MILLISECOND);
}

static void *
be_tried(void *argument)
{
	static const int64_t times[EVENTS] = {
		[SCOPE] = HUB_MILLISECOND, [KILL_AND_SCOPE] = HUB_MILLISECOND};
	struct trial *trial = argument;
	struct hub_timeout scope;
	int64_t time = times[trial->event] != 0 ? times[trial->event] : PATIENCE;

	hub_timeout_start(&scope, trial->event == EXPIRED ? 0 : time);
	trial->result = trial->call->call();
	trial->error = errno;
	trial->has_expired = hub_timeout_stop(&scope);
	return NULL;
}

/* ---- one group of calls ---- */

static void
let_happen(struct trial *trial)
{
	if (trial->event == KILL || trial->event == KILL_AND_SCOPE)
		hub_kill(trial->coroutine);
	if (trial->event == INTERRUPT)
		hub_interrupt(trial->coroutine);
}

/* Whether the call may have ended so without the event: it met another one of the group, which puts
 * into the channel or joins the coroutine; it tells of the close by a number; or it was woken for
 * no reason. */
static bool
is_right_by_itself(const struct trial *trial)
{
	static const struct {
		const char *name;
		int result, error;
	} all[] = {{"hub_channel_put", 0, 0}, {"hub_channel_put_for", 0, 0},
		{"hub_channel_get", 0, 0}, {"hub_channel_get_for", 0, 0}, {"hub_join", -1, EINVAL},
		{"hub_join_for", -1, EINVAL}, {"hub_get", -1, EINVAL}, {"hub_poll", 1, 0},
		{"hub_select", 1, 0}, {"hub_await_fd", 1, 0}};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(trial->call->name, all[i].name) == 0 && trial->result == all[i].result &&
			(trial->result != -1 || trial->error == all[i].error))
			return true;
	return false;
}

/* Whether the call may have ended so. */
static bool
is_right(const struct trial *trial)
{
	bool was_killed = trial->error == ECANCELED,
	     was_late = trial->error == ETIMEDOUT && trial->has_expired;

	/* Its client had not connected. */
	if (trial->event == INTERRUPT && strcmp(trial->call->name, "hub_server_stop") == 0)
		return true;
	if (trial->result != -1 || is_right_by_itself(trial))
		return is_right_by_itself(trial);
	switch (trial->event) {
	case KILL:
		return was_killed;
	case SCOPE:
	case EXPIRED:
		return was_late;
	case CLOSE:
		return trial->error == EBADF || was_late;
	case INTERRUPT:
		/* Calls that must not end early go on. */
		return trial->error == EINTR || was_killed;
	case BY_THE_WORLD:
		/* Connecting takes two minutes, if nothing happens. */
		return was_killed || was_late ||
		       (trial->error == ETIMEDOUT && strstr(trial->call->name, "connect") != NULL);
	default:
		return was_killed || was_late;
	}
}

static void
end(struct trial *trial)
{
	/* What an interrupt does not end, a kill does. */
	if (trial->event == INTERRUPT) {
		hub_sleep(HUB_MILLISECOND);
		hub_kill(trial->coroutine);
	}
	if (hub_join_for(trial->coroutine, NULL, 2 * PATIENCE) != 0 && complaint[0] == '\0')
		snprintf(complaint, sizeof complaint, "%s is not ended by %s", trial->call->name,
			names[trial->event]);
	else if (!is_right(trial) && complaint[0] == '\0')
		snprintf(complaint, sizeof complaint, "%s returns %d (%s) after %s, expired: %d",
			trial->call->name, trial->result, strerror(trial->error),
			names[trial->event], trial->has_expired);
}

static void
shuffle(struct trial *trials, size_t count)
{
	for (size_t left = count; left > 1; left--) {
		size_t chosen = (size_t)hub_sim_draw(left);
		struct trial kept = trials[chosen];

		trials[chosen] = trials[left - 1];
		trials[left - 1] = kept;
	}
}

static void
try_group(struct trial *trials, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		trials[i].coroutine = hub_spawn(be_tried, &trials[i]);
		hub_set_name(trials[i].coroutine, trials[i].call->name);
		if (trials[i].event == BY_THE_WORLD)
			hub_sim_may_kill(trials[i].coroutine);
		if (hub_sim_draw(3) == 0)
			hub_sleep(some_time());
	}
	hub_sleep(some_time());
	for (size_t i = 0; i < count; i++) {
		let_happen(&trials[i]);
		if (hub_sim_draw(3) == 0)
			hub_sleep(some_time());
	}
	for (size_t i = 0; i < count; i++)
		end(&trials[i]);
}

/* ---- all calls ---- */

static void
gather(const struct blocking_call *call)
{
	for (; call->name != NULL; call++)
		if (strcmp(call->name, "hub_idle") == 0)
			idle = call;
		else if (call_count < CALLS_MOST)
			calls[call_count++] = call;
}

static void
try_all(enum event first, enum event last)
{
	static struct trial trials[CALLS_MOST * EVENTS];
	size_t count = 0, size;

	for (enum event event = first; event <= last; event++)
		for (size_t i = 0; i < call_count; i++)
			trials[count++] = (struct trial){.call = calls[i], .event = event};
	shuffle(trials, count);
	for (size_t done = 0; done < count; done += size) {
		size = 1 + (size_t)hub_sim_draw(GROUP_MOST);
		if (size > count - done)
			size = count - done;
		try_group(trials + done, size);
	}
}

static void *
be_busy(void *argument)
{
	while (hub_sleep(0) == 0)
		continue;
	return argument;
}

static void
try_idle(void)
{
	struct hub_coroutine *busy = hub_spawn(be_busy, NULL);
	struct trial trials[BY_THE_WORLD];

	for (enum event event = KILL; event < BY_THE_WORLD; event++)
		trials[event] = (struct trial){.call = idle, .event = event};
	try_group(trials, BY_THE_WORLD);
	hub_kill(busy);
	hub_join(busy, NULL);
}

/* What makes a descriptor of its own waits for that one; a server, for its sessions. */
static bool
waits_for_another(const struct blocking_call *call)
{
	static const char *const others[] = {
		"hub_tls_", "hub_connect", "hub_create_", "hub_server_"};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strncmp(call->name, others[i], strlen(others[i])) == 0)
			return true;
	return false;
}

/* Every call on a descriptor, whose descriptor is closed while it waits. */
static void
close_all(void)
{
	static const struct blocking_call *const tables[] = {
		blocking_descriptors, blocking_streams};
	struct trial trials[CALLS_MOST];
	size_t count = 0;

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct blocking_call *call = tables[i]; call->name != NULL; call++)
			if (!waits_for_another(call))
				trials[count++] = (struct trial){.call = call, .event = CLOSE};
	shuffle(trials, count);
	for (size_t i = 0; i < count; i++)
		trials[i].coroutine = hub_spawn(be_tried, &trials[i]);
	hub_sleep(HUB_MILLISECOND);
	for (int fd = FIRST; fd < FIRST_OWN; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			hub_close(fd);
	for (size_t i = 0; i < count; i++)
		end(&trials[i]);
}

static void *
body(void *events)
{
	const enum event *range = events;

	blocking_coroutines_begin();
	blocking_descriptors_begin();
	blocking_shared_begin();
	blocking_streams_begin();
	try_all(range[0], range[1]);
	if (range[0] == KILL)
		try_idle();
	close_all();
	blocking_streams_end();
	blocking_shared_end();
	blocking_descriptors_end();
	blocking_coroutines_end();
	return NULL;
}

static void
run(const struct hub_sim_options *options, enum event first, enum event last)
{
	enum event range[] = {first, last};

	gather(blocking_coroutines);
	gather(blocking_descriptors);
	gather(blocking_shared);
	gather(blocking_streams);
	cr_assert_lt(call_count, CALLS_MOST);
	EACH_SEED (seed, SEEDS) {
		int code = hub_sim_run(seed, options, body, range);

		cr_assert_str_empty(complaint, "seed %lu: %s", (unsigned long)seed, complaint);
		cr_assert_eq(code, 0, "%s", hub_sim_report());
	}
}

Test(interruptions, end_every_call)
{
	run(NULL, KILL, EXPIRED);
}

Test(interruptions, end_every_call_in_any_order)
{
	const struct hub_sim_options options = {.reordered = 4, .spurious = 10};

	run(&options, KILL, EXPIRED);
}

Test(interruptions, end_every_call_at_any_time)
{
	const struct hub_sim_options options = {.reordered = 4, .killed = 2, .expired = 2};

	run(&options, BY_THE_WORLD, BY_THE_WORLD);
}

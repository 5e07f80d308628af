/* Random programs over objects, in random worlds, of which each compares what comes out with a
 * model of its own: whoever releases a recursive lock around a condition owns it as often as
 * before; a nursery gives its first failure, and ends at once when its opener is killed; a map
 * gives a result for each input; whoever waits for the ends of several is told when enough have
 * ended, or one has failed; a result's failure reaches all who wait; a select that could go on
 * with several cases takes each now and then. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/sim/worlds.h"

enum { WORLDS = 40, ACTORS = 6, STEPS = 10, CHILDREN = 6 };

#define TIME_MOST (20 * HUB_MILLISECOND)
#define PROMPT (2 * HUB_MILLISECOND) /* nobody computes */
#define PATIENCE (60 * HUB_SECOND)

TestSuite(random_promises, .timeout = 120);

static void
sleep_some(void)
{
	hub_sleep(once_in(3) ? 0 : below(TIME_MOST));
}

/* ---- locks ---- */

static struct {
	struct hub_lock lock;
	struct hub_condition condition;
	const struct hub_coroutine *owner;
} locked;

static void
step_lock(void)
{
	unsigned depth = 0, wanted = 1 + below(3);

	while (depth < wanted && hub_lock_acquire_for(&locked.lock, TIME_MOST) == 0)
		depth++;
	if (depth == 0)
		return;
	if (locked.owner != NULL)
		wrong("a lock has two owners");
	if (once_in(2)) {
		struct hub_timeout scope;

		hub_timeout_start(&scope, below(TIME_MOST));
		hub_condition_wait(&locked.condition, &locked.lock);
		hub_timeout_stop(&scope);
	}
	for (; depth > 0; depth--) {
		if (locked.owner != NULL && locked.owner != hub_current())
			wrong("a lock is another's before it is released as often as acquired");
		locked.owner = hub_current();
		if (depth == 1)
			locked.owner = NULL;
		if (hub_lock_release(&locked.lock) != 0)
			wrong("a lock that is held cannot be released");
		if (depth > 1)
			sleep_some();
	}
	if (hub_lock_release(&locked.lock) == 0)
		wrong("a lock can be released more often than it was acquired");
}

static void
step_notify(void)
{
	hub_condition_notify(&locked.condition);
}

/* ---- semaphores ---- */

static void
step_semaphore(void)
{
	unsigned limit = 1 + below(3), taken = 0;
	struct hub_semaphore semaphore;

	hub_semaphore_init_bounded(&semaphore, limit);
	for (unsigned left = below(12); left > 0; left--)
		if (once_in(2))
			taken += hub_semaphore_try_acquire(&semaphore) == 0;
		else if ((hub_semaphore_release(&semaphore) == 0) != (taken > 0))
			wrong("a semaphore takes more permits than it had, or not its own");
		else
			taken -= taken > 0;
	if (hub_semaphore_count(&semaphore) + taken != limit)
		wrong("a semaphore of %u has %u, and %u are taken", limit,
			hub_semaphore_count(&semaphore), taken);
}

/* ---- children ---- */

struct child {
	int64_t time;
	int code; /* it fails with; 0: it does not */
	bool fails_killed;
	bool has_ended;
	int64_t ended_at;
	int64_t *first_failed_at;
	int *first_code;
};

static void *
be_child(void *argument)
{
	struct child *child = argument;
	int error = hub_sleep(child->time) == 0 ? 0 : errno;

	child->has_ended = true;
	child->ended_at = hub_now();
	if (error != 0 && !child->fails_killed)
		return NULL;
	if (child->code != 0 && child->first_code != NULL && *child->first_code == 0)
		*child->first_code = child->code;
	if (child->code != 0)
		hub_fail(child->code, "chance");
	return child;
}

static struct child
draw_child(void)
{
	return (struct child){.time = once_in(4) ? PATIENCE : 1 + below(TIME_MOST),
		.code = once_in(3) ? 1000 + (int)below(100) : 0,
		.fails_killed = once_in(2)};
}

static void
step_nursery(void)
{
	struct child children[CHILDREN];
	struct hub_nursery nursery;
	struct hub_timeout scope;
	int64_t began = hub_now(), limit = below(2 * TIME_MOST);
	int first_code = 0, error;

	hub_timeout_start(&scope, limit);
	hub_nursery_open(&nursery);
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = draw_child();
		children[i].first_code = &first_code;
		hub_nursery_spawn(&nursery, be_child, &children[i]);
	}
	error = hub_nursery_close(&nursery) == 0 ? 0 : errno;
	hub_timeout_stop(&scope);
	if (first_code != 0 && error != first_code)
		wrong("a nursery gives %d, and the first failure was %d", error, first_code);
	if (!in_trouble() && hub_now() - began > limit + PROMPT)
		wrong("a nursery whose opener's time is over ends %ld us late",
			(long)(hub_now() - began - limit) / 1000);
}

/* When so many have ended, or, if that counts, one has failed. */
static int64_t
enough_at(const struct child *children, size_t count, size_t enough, bool is_failure_enough)
{
	int64_t at = HUB_FOREVER;

	for (size_t i = 0; i < count; i++) {
		int64_t end = children[i].ended_at;
		size_t ended = 0;

		if (!children[i].has_ended)
			continue;
		for (size_t j = 0; j < count; j++)
			ended += children[j].has_ended && children[j].ended_at <= end;
		if ((ended >= enough || (is_failure_enough && children[i].code != 0)) && end < at)
			at = end;
	}
	return at;
}

static void
step_ends(void)
{
	struct child children[CHILDREN];
	struct hub_coroutine *coroutines[CHILDREN];
	struct hub_timeout scope, shield;
	size_t count = 1 + below(CHILDREN), enough = 1 + below((unsigned)count), made = 0, ended;
	bool is_failure_enough = once_in(2);
	int64_t at, now;
	int error;

	for (; made < count; made++) {
		children[made] = draw_child();
		coroutines[made] = hub_spawn(be_child, &children[made]);
		if (coroutines[made] == NULL)
			break;
	}
	if (made > 0 && enough > made)
		enough = made;
	hub_timeout_start(&scope, below(2 * TIME_MOST));
	error = hub_wait_ended(coroutines, made, enough,
			is_failure_enough ? HUB_WAIT_FIRST_FAILURE : 0, &ended) == 0
			? 0
			: errno;
	hub_timeout_stop(&scope);
	now = hub_now();
	at = enough_at(children, made, enough, is_failure_enough);
	if (made > 0 && error == 0 && at > now)
		wrong("whoever waits for ends is told before enough have ended");
	if (made > 0 && error == 0 && ended < enough && !is_failure_enough)
		wrong("%zu have ended, and %zu were enough", ended, enough);
	if (!in_trouble() && at < now - PROMPT)
		wrong("whoever waits for ends is told %ld us late", (long)(now - at) / 1000);
	hub_shield_start(&shield);
	hub_kill_all(coroutines, made);
	for (size_t i = 0; i < made; i++)
		hub_join(coroutines[i], NULL);
	hub_shield_stop(&shield);
}

/* ---- maps ---- */

static struct hub_pool pool;

static void *
double_it(void *number)
{
	if (once_in(2))
		sleep_some();
	return (char *)number + (uintptr_t)number;
}

struct input {
	uintptr_t next, last;
};

static bool
next_number(void *argument, void **number)
{
	struct input *input = argument;

	if (once_in(3))
		sleep_some();
	*number = (void *)++input->next;
	return input->next <= input->last;
}

static void
step_map(void)
{
	struct input input = {0, below(12)};
	enum hub_imap_order order = below(HUB_IMAP_ORDER_MAX);
	struct hub_imap *map =
		hub_imap_new(&pool, double_it, next_number, &input, 1 + below(4), order);
	struct hub_failure failure;
	struct hub_timeout shield;
	uintptr_t count = 0;
	void *result;
	int got;

	if (map == NULL)
		return;
	while ((got = hub_imap_next(map, &result, &failure)) == 1) {
		count++;
		if (failure.code == 0 && order == HUB_IMAP_ORDERED &&
			(uintptr_t)result != 2 * count)
			wrong("a map gives results out of order");
		if (once_in(3))
			sleep_some();
	}
	if (got == 0 && count != input.last)
		wrong("a map gives %lu results for %lu inputs", (unsigned long)count,
			(unsigned long)input.last);
	hub_shield_start(&shield);
	hub_imap_free(map);
	hub_shield_stop(&shield);
}

/* ---- results ---- */

static void *
get_result(void *result)
{
	struct hub_failure failure;

	if (hub_result_get(result, NULL, &failure) == 0)
		wrong("a result that has failed is got without its failure");
	else if (errno != ECANCELED && (errno != EPROTO || failure.code != EPROTO))
		wrong("a result's failure is another one: %d", errno);
	return NULL;
}

static void
step_result(void)
{
	struct hub_result result = {0};
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	for (unsigned left = 1 + below(3); left > 0; left--)
		hub_nursery_spawn(&nursery, get_result, &result);
	sleep_some();
	hub_result_fail(&result, EPROTO, "chance");
	hub_nursery_close(&nursery);
}

/* ---- selects ---- */

static void
step_select(void)
{
	enum { CASES = 3, ROUNDS = 60 };
	struct hub_event events[CASES] = {0};
	struct hub_case cases[CASES];
	unsigned chosen[CASES] = {0};

	for (int i = 0; i < CASES; i++) {
		hub_event_set(&events[i]);
		cases[i] = hub_case_event(&events[i]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		int index = hub_select(cases, CASES, HUB_FOREVER);

		if (index == -1)
			return;
		chosen[index]++;
	}
	for (int i = 0; i < CASES; i++)
		if (chosen[i] == 0)
			wrong("a select never takes a case that could be taken");
}

/* ---- a world ---- */

static void (*const steps[])(void) = {step_lock, step_lock, step_notify, step_semaphore,
	step_nursery, step_ends, step_map, step_result, step_select};

static void *
act(void *unused)
{
	for (unsigned left = 1 + below(STEPS); left > 0 && !is_wrong(); left--) {
		steps[below(sizeof steps / sizeof *steps)]();
		if (hub_sleep(0) != 0)
			break;
	}
	return unused;
}

static void *
body(void *unused)
{
	struct hub_coroutine *actors[ACTORS];

	memset(&locked, 0, sizeof locked);
	hub_pool_init(&pool, 1 + below(4));
	for (int i = 0; i < ACTORS; i++)
		actors[i] = hub_spawn(act, NULL);
	for (unsigned left = below(5); left > 0; left--) {
		hub_sleep(below(5 * TIME_MOST));
		hub_kill(actors[below(ACTORS)]);
	}
	for (int i = 0; i < ACTORS; i++)
		if (hub_join_for(actors[i], NULL, PATIENCE) != 0) {
			wrong("an actor does not end");
			hub_kill(actors[i]);
			hub_join(actors[i], NULL);
		}
	hub_pool_join(&pool);
	if (hub_pool_count(&pool) != 0)
		wrong("a pool is not empty");
	return unused;
}

/* Children fail on purpose. */
static void
ignore_failure(
	const struct hub_coroutine *coroutine, const struct hub_failure *failure, void *context)
{
	(void)coroutine, (void)failure, (void)context;
}

Test(random_promises, are_kept)
{
	static const struct hub_hooks hooks = {.failed = ignore_failure};

	hub_set_hooks(&hooks);
	in_worlds(body, WORLDS);
}

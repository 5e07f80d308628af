/* What is done once, by coroutines and threads. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/scenes.h"

static pthread_once_t once;
static bool once_may_end;

static void
run_once(void)
{
	while (!once_may_end)
		hub_sleep(0);
}

static void *
be_first(void *argument)
{
	pthread_once(&once, run_once);
	return argument;
}

/* Another coroutine is in the middle of it. */
void
scenes_make_once(struct scene *s)
{
	(void)s;
	once = PTHREAD_ONCE_INIT;
	once_may_end = false;
	hub_detach(hub_spawn(be_first, NULL));
	hub_sleep(0);
}

void
scenes_end_once(struct scene *s)
{
	(void)s;
	once_may_end = true;
}

void
scenes_pthread_once(struct scene *s)
{
	SCENE_CALL(s, pthread_once(&once, run_once));
}

/* ---- many at once ---- */

#define MANY 20

static int runs, seen;
static pthread_once_t shared_once = PTHREAD_ONCE_INIT;
static once_flag shared_flag = ONCE_FLAG_INIT;

static void
run_slowly(void)
{
	hub_sleep(2 * HUB_MILLISECOND);
	runs++;
}

static void *
use(void *argument)
{
	int before;

	pthread_once(&shared_once, run_slowly);
	before = runs;
	call_once(&shared_flag, run_slowly);
	__atomic_fetch_add(&seen, before >= 1 && runs >= 2, __ATOMIC_RELAXED);
	return argument;
}

static void *
use_all(void *argument)
{
	struct hub_coroutine *users[MANY];

	for (int i = 0; i < MANY; i++)
		users[i] = hub_spawn(use, NULL);
	for (int i = 0; i < MANY; i++)
		hub_join(users[i], NULL);
	return argument;
}

TestSuite(once, .timeout = 60);

Test(once, the_others_wait_for_the_first)
{
	hub_patch_all();
	in_hub(use_all, NULL);
	cr_expect_eq(runs, 2);
	cr_expect_eq(seen, MANY);
}

/* ---- two at a time, of which the first to begin ends first ---- */

static pthread_once_t brief = PTHREAD_ONCE_INIT, longer = PTHREAD_ONCE_INIT;

static void
run_briefly(void)
{
	hub_sleep(5 * HUB_MILLISECOND);
	runs++;
}

static void
run_longer(void)
{
	hub_sleep(20 * HUB_MILLISECOND);
	runs++;
}

static void *
use_briefly(void *argument)
{
	pthread_once(&brief, run_briefly);
	return argument;
}

static void *
use_longer(void *argument)
{
	pthread_once(&longer, run_longer);
	return argument;
}

static void *
overlap(void *argument)
{
	struct hub_coroutine *first = hub_spawn(use_briefly, NULL),
			     *second = hub_spawn(use_longer, NULL);

	hub_join(first, NULL);
	hub_join(second, NULL);
	return argument;
}

static void *
overlap_and_exit(void *argument)
{
	hub_run(overlap, argument, NULL);
	pthread_exit(argument);
}

Test(once, nothing_of_it_stays_with_the_thread)
{
	pthread_t thread;

	hub_patch_all();
	pthread_create(&thread, NULL, overlap_and_exit, NULL);
	pthread_join(thread, NULL);
	cr_expect_eq(runs, 2);
	cr_expect_eq(longer, brief, "%d", longer);
}

/* ---- a thread that waits for a coroutine ---- */

static void *
use_by_thread(void *argument)
{
	use_longer(argument);
	seen = runs;
	return argument;
}

static void *
use_by_both(void *argument)
{
	struct hub_coroutine *first = hub_spawn(use_longer, NULL);
	pthread_t thread;

	until_it_waits(first);
	pthread_create(&thread, NULL, use_by_thread, NULL);
	hub_join(first, NULL);
	pthread_join(thread, NULL);
	return argument;
}

Test(once, a_thread_is_woken_by_a_coroutine)
{
	hub_patch_all();
	in_hub(use_by_both, NULL);
	cr_expect_eq(seen, 1);
}

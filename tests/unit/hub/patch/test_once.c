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

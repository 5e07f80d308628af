/* Threads, mutexes and conditions by their names in C11. */
#include <errno.h>
#include <threads.h>
#include <time.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/scenes.h"

void
scenes_thrd_sleep(struct scene *s)
{
	struct timespec time = {0, 5000000};

	SCENE_CALL(s, thrd_sleep(&time, NULL));
}

static void *
sleep_a_little(void *argument)
{
	thrd_sleep(&(struct timespec){0, 5000000}, NULL);
	return argument;
}

static int
sleep_and_answer(void *argument)
{
	sleep_a_little(argument);
	return 5;
}

void
scenes_thrd_join(struct scene *s)
{
	thrd_t thread;
	int answer = 0;

	thrd_create(&thread, sleep_and_answer, NULL);
	SCENE_CALL(s, thrd_join(thread, &answer));
	if (s->result == thrd_success)
		s->result = answer;
}

static mtx_t mutex;
static cnd_t condition;

void
scenes_make_held(struct scene *s)
{
	(void)s;
	mtx_init(&mutex, mtx_timed);
	mtx_lock(&mutex);
}

void
scenes_release(struct scene *s)
{
	(void)s;
	mtx_unlock(&mutex);
}

void
scenes_mtx_lock(struct scene *s)
{
	SCENE_CALL(s, mtx_lock(&mutex));
	mtx_unlock(&mutex);
}

void
scenes_mtx_trylock(struct scene *s)
{
	SCENE_CALL(s, mtx_trylock(&mutex));
	s->result = s->result == thrd_busy ? 0 : -1;
	mtx_unlock(&mutex);
}

void
scenes_mtx_timedlock(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, mtx_timedlock(&mutex, &end));
	mtx_unlock(&mutex);
}

void
scenes_make_condition(struct scene *s)
{
	(void)s;
	mtx_init(&mutex, mtx_plain);
	cnd_init(&condition);
	mtx_lock(&mutex);
}

void
scenes_signal(struct scene *s)
{
	(void)s;
	mtx_lock(&mutex);
	cnd_signal(&condition);
	mtx_unlock(&mutex);
}

void
scenes_cnd_wait(struct scene *s)
{
	SCENE_CALL(s, cnd_wait(&condition, &mutex));
	mtx_unlock(&mutex);
}

void
scenes_cnd_timedwait(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, cnd_timedwait(&condition, &mutex, &end));
	mtx_unlock(&mutex);
}

/* ---- errors ---- */

static int answers[4];

static void *
hold(void *argument)
{
	mtx_lock(&mutex);
	hub_sleep(20 * HUB_MILLISECOND);
	mtx_unlock(&mutex);
	return argument;
}

static void *
fail_all(void *argument)
{
	struct timespec past = {1, 0};
	struct hub_coroutine *holder;

	mtx_init(&mutex, mtx_timed);
	cnd_init(&condition);
	holder = hub_spawn(hold, NULL);
	until_it_waits(holder);
	answers[0] = mtx_trylock(&mutex);
	answers[1] = mtx_timedlock(&mutex, &past);
	answers[2] = mtx_lock(&mutex);
	answers[3] = cnd_timedwait(&condition, &mutex, &past);
	mtx_unlock(&mutex);
	hub_join(holder, NULL);
	return argument;
}

TestSuite(c11, .timeout = 60);

Test(c11, answers_are_those_of_C)
{
	static const int expected[] = {thrd_busy, thrd_timedout, thrd_success, thrd_timedout};

	hub_patch_all();
	in_hub(fail_all, NULL);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(answers[i], expected[i], "%d: %d", i, answers[i]);
}

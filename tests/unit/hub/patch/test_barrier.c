/* Barriers of coroutines and threads together. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/scenes.h"

static pthread_barrier_t barrier;

void
scenes_make_barrier(struct scene *s)
{
	(void)s;
	pthread_barrier_init(&barrier, NULL, 2);
}

void
scenes_meet(struct scene *s)
{
	(void)s;
	pthread_barrier_wait(&barrier);
}

void
scenes_barrier_wait(struct scene *s)
{
	SCENE_CALL(s, pthread_barrier_wait(&barrier));
	pthread_barrier_destroy(&barrier);
}

/* ---- both kinds ---- */

#define COROUTINES 4
#define THREADS 3
#define ROUNDS 100

static struct {
	pthread_barrier_t barrier;
	atomic_int serial, early, round[ROUNDS];
} all;

static void *
meet_often(void *argument)
{
	for (int i = 0; i < ROUNDS; i++) {
		atomic_fetch_add(&all.round[i], 1);
		if (pthread_barrier_wait(&all.barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			atomic_fetch_add(&all.serial, 1);
		if (all.round[i] != COROUTINES + THREADS)
			atomic_fetch_add(&all.early, 1);
	}
	return argument;
}

static void *
meet_all(void *argument)
{
	struct hub_coroutine *coroutines[COROUTINES];
	pthread_t threads[THREADS];

	pthread_barrier_init(&all.barrier, NULL, COROUTINES + THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, meet_often, NULL);
	for (int i = 0; i < COROUTINES; i++)
		coroutines[i] = hub_spawn(meet_often, NULL);
	/* A kill ends no wait for a barrier. */
	until_it_waits(coroutines[0]);
	hub_kill(coroutines[0]);
	for (int i = 0; i < COROUTINES; i++)
		hub_join(coroutines[i], NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&all.barrier);
	return argument;
}

TestSuite(barrier, .timeout = 60);

Test(barrier, nobody_goes_on_before_all_have_come)
{
	hub_patch_all();
	in_hub(meet_all, NULL);
	cr_expect_eq(all.serial, ROUNDS);
	cr_expect_eq(all.early, 0);
}

/* Calls of POSIX threads: mutexes, conditions, locks, semaphores. */
#include "tests/unit/hub/patch/scenes.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

static void
make_held(struct scene *s)
{
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->condition, NULL);
	sem_init(&s->semaphore, 0, 0);
	pthread_mutex_lock(&s->mutex);
}

static void
release(struct scene *s)
{
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_lock(struct scene *s)
{
	SCENE_CALL(s, pthread_mutex_lock(&s->mutex));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_timedlock(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, pthread_mutex_timedlock(&s->mutex, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_clocklock(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, pthread_mutex_clocklock(&s->mutex, CLOCK_REALTIME, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_trylock(struct scene *s)
{
	SCENE_CALL(s, pthread_mutex_trylock(&s->mutex) == EBUSY ? 0 : -1);
}

static void
make_free(struct scene *s)
{
	make_held(s);
	pthread_mutex_unlock(&s->mutex);
}

static void
signal_it(struct scene *s)
{
	pthread_mutex_lock(&s->mutex);
	pthread_cond_signal(&s->condition);
	pthread_mutex_unlock(&s->mutex);
}

static void
call_cond_wait(struct scene *s)
{
	pthread_mutex_lock(&s->mutex);
	SCENE_CALL(s, pthread_cond_wait(&s->condition, &s->mutex));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_cond_timedwait(struct scene *s)
{
	struct timespec end = scene_end();

	pthread_mutex_lock(&s->mutex);
	SCENE_CALL(s, pthread_cond_timedwait(&s->condition, &s->mutex, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_cond_clockwait(struct scene *s)
{
	struct timespec end = scene_end();

	pthread_mutex_lock(&s->mutex);
	SCENE_CALL(s, pthread_cond_clockwait(&s->condition, &s->mutex, CLOCK_REALTIME, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
post_it(struct scene *s)
{
	sem_post(&s->semaphore);
}

static void
call_sem_wait(struct scene *s)
{
	SCENE_CALL(s, sem_wait(&s->semaphore));
}

static void
call_sem_timedwait(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, sem_timedwait(&s->semaphore, &end));
}

static void
call_sem_clockwait(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, sem_clockwait(&s->semaphore, CLOCK_REALTIME, &end));
}

static pthread_rwlock_t rwlock;

static void
make_written(struct scene *s)
{
	(void)s;
	pthread_rwlock_init(&rwlock, NULL);
	pthread_rwlock_wrlock(&rwlock);
}

static void
release_rwlock(struct scene *s)
{
	(void)s;
	pthread_rwlock_unlock(&rwlock);
}

#define RWLOCK_CALL(name, ...)                                                                     \
	static void call_rwlock_##name(struct scene *s)                                            \
	{                                                                                          \
		struct timespec end = scene_end();                                                 \
                                                                                                   \
		(void)end;                                                                         \
		SCENE_CALL(s, pthread_rwlock_##name(__VA_ARGS__));                                 \
		pthread_rwlock_unlock(&rwlock);                                                    \
	}
RWLOCK_CALL(rdlock, &rwlock)
RWLOCK_CALL(wrlock, &rwlock)
RWLOCK_CALL(timedrdlock, &rwlock, &end)
RWLOCK_CALL(timedwrlock, &rwlock, &end)
RWLOCK_CALL(clockrdlock, &rwlock, CLOCK_REALTIME, &end)
RWLOCK_CALL(clockwrlock, &rwlock, CLOCK_REALTIME, &end)

static void
call_sched_yield(struct scene *s)
{
	SCENE_CALL(s, sched_yield());
}

const struct scene_case scenes_of_threads[] = {
	{"pthread_mutex_lock", make_held, call_mutex_lock, release, 0, 0},
	{"pthread_mutex_trylock", make_held, call_mutex_trylock, NULL, 0, SCENE_MAY_BE_DONE},
	{"pthread_mutex_timedlock", make_held, call_mutex_timedlock, release, 0, 0},
	{"pthread_mutex_clocklock", make_held, call_mutex_clocklock, release, 0, 0},
	{"pthread_cond_wait", make_free, call_cond_wait, signal_it, 0, 0},
	{"pthread_cond_timedwait", make_free, call_cond_timedwait, signal_it, 0, 0},
	{"pthread_cond_clockwait", make_free, call_cond_clockwait, signal_it, 0, 0},
	{"pthread_rwlock_rdlock", make_written, call_rwlock_rdlock, release_rwlock, 0, 0},
	{"pthread_rwlock_wrlock", make_written, call_rwlock_wrlock, release_rwlock, 0, 0},
	{"pthread_rwlock_timedrdlock", make_written, call_rwlock_timedrdlock, release_rwlock, 0, 0},
	{"pthread_rwlock_timedwrlock", make_written, call_rwlock_timedwrlock, release_rwlock, 0, 0},
	{"pthread_rwlock_clockrdlock", make_written, call_rwlock_clockrdlock, release_rwlock, 0, 0},
	{"pthread_rwlock_clockwrlock", make_written, call_rwlock_clockwrlock, release_rwlock, 0, 0},
	{"sched_yield", NULL, call_sched_yield, NULL, 0, 0},
	{"sem_wait", make_free, call_sem_wait, post_it, 0, 0},
	{"sem_timedwait", make_free, call_sem_timedwait, post_it, 0, 0},
	{"sem_clockwait", make_free, call_sem_clockwait, post_it, 0, 0},
	{0},
};

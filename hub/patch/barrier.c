/* Barriers of threads and coroutines. A barrier of one process is a mutex and a condition,
 * allocated here; libc's own barrier beside them is unused. A pointer to them is in the last bytes
 * of pthread_barrier_t, which glibc does not use. It is NULL in a barrier that is shared between
 * processes, which is libc's. */
#include <errno.h>
#include <hubbub/timeout.h>
#include <stdlib.h>
#include <string.h>

#include "hub/patch/patch_priv.h"
#include "hub/patch/report_priv.h"

struct barrier {
	pthread_mutex_t mutex;
	pthread_cond_t turned;
	unsigned count;
	unsigned here;   /* callers that have come in this round */
	unsigned inside; /* callers that have come, in any round, and not left */
	unsigned round;
	bool is_destroyed; /* while callers still leave: the last one of them frees it */
};

static struct barrier **
place_of(pthread_barrier_t *barrier)
{
	return (struct barrier **)(void *)((char *)barrier + sizeof *barrier -
					   sizeof(struct barrier *));
}

int
patch_pthread_barrier_init(
	pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count)
{
	int error = REAL(pthread_barrier_init)(barrier, attributes, count);
	int sharing = PTHREAD_PROCESS_PRIVATE;
	struct barrier *own;

	/* libc has checked the arguments; its barrier is used only if processes share it. */
	if (error != 0)
		return error;
	*place_of(barrier) = NULL;
	if (attributes != NULL)
		pthread_barrierattr_getpshared(attributes, &sharing);
	if (sharing != PTHREAD_PROCESS_PRIVATE)
		return 0;
	own = calloc(1, sizeof *own);
	if (own == NULL)
		return ENOMEM;
	own->count = count;
	pthread_mutex_init(&own->mutex, NULL);
	pthread_cond_init(&own->turned, NULL);
	*place_of(barrier) = own;
	return 0;
}

int
patch_pthread_barrier_destroy(pthread_barrier_t *barrier)
{
	struct barrier *own = *place_of(barrier);
	bool is_free;

	if (own == NULL)
		return REAL(pthread_barrier_destroy)(barrier);
	pthread_mutex_lock(&own->mutex);
	/* Callers of the last round may still be leaving. */
	is_free = own->inside == 0;
	own->is_destroyed = true;
	pthread_mutex_unlock(&own->mutex);
	if (is_free)
		free(own);
	*place_of(barrier) = NULL;
	return 0;
}

/* Waits for the other callers of the round; not a cancellation point, and nothing else ends it. */
static int
wait_for_all(struct barrier *own)
{
	unsigned round;
	bool is_last, is_free;

	pthread_mutex_lock(&own->mutex);
	round = own->round;
	own->inside++;
	is_last = ++own->here == own->count;
	if (is_last) {
		own->here = 0;
		own->round++;
		pthread_cond_broadcast(&own->turned);
	}
	while (own->round == round)
		pthread_cond_wait(&own->turned, &own->mutex);
	is_free = --own->inside == 0 && own->is_destroyed;
	pthread_mutex_unlock(&own->mutex);
	if (is_free)
		free(own);
	return is_last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

/* Waits at a barrier that is shared between processes: this blocks the thread, and is reported. */
static int
wait_shared(pthread_barrier_t *barrier)
{
	int64_t began = atomic_load(&patch_active) & PATCH_REPORTED ? report_begin() : 0;
	int result = REAL(pthread_barrier_wait)(barrier);

	if (began != 0)
		report_end(CALL_pthread_barrier_wait, began);
	return result;
}

int
patch_pthread_barrier_wait(pthread_barrier_t *barrier)
{
	struct barrier *own = *place_of(barrier);
	struct hub_timeout shield;
	bool is_coroutine = hub_can_wait();
	int state, result;

	if (own == NULL)
		return wait_shared(barrier);
	/* The wait for a condition is a cancellation point, that at a barrier is not. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	if (is_coroutine)
		hub_shield_start(&shield);
	result = wait_for_all(own);
	if (is_coroutine)
		hub_shield_stop(&shield);
	pthread_setcancelstate(state, NULL);
	return result;
}

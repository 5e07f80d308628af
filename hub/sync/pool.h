/* Pool: a set of coroutines with a limit to how many run at a time; without a limit, a group. */
#ifndef HUBBUB_SYNC_POOL_H
#define HUBBUB_SYNC_POOL_H

#include <stdbool.h>

#include "../failure.h"
#include "group.h"
#include "semaphore.h"

HUBBUB_API_BEGIN

/* The fields are the library's. A pool must live until hub_pool_join has returned 0 to every
 * coroutine that is in such a call. */
struct hub_pool {
	struct hub_group group;
	struct hub_semaphore slots;
};

/* Initialises an empty pool for at most size coroutines; 0 means no limit. Switches: no. */
void hub_pool_init(struct hub_pool *pool, unsigned size);

/* Spawns a coroutine in the pool; waits while the pool is full. The coroutine leaves the pool and
 * frees itself when it ends; its failure is reported as that of a detached coroutine.
 * Switches: yes, if the pool is full.  Ownership: the coroutine is the pool's; the pointer may be
 * used, to name, link or kill it, while it lives.
 * Returns NULL with errno ENOMEM, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
struct hub_coroutine *hub_pool_spawn(struct hub_pool *pool, hub_fn *body, void *argument);

/* As hub_pool_spawn, but returns NULL with errno EAGAIN if the pool is full. Switches: no. */
struct hub_coroutine *hub_pool_try_spawn(struct hub_pool *pool, hub_fn *body, void *argument);

/* Waits until the pool is not full.
 * Switches: yes, if the pool is full.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_pool_wait(struct hub_pool *pool);

/* How many coroutines are in the pool. Switches: no. */
size_t hub_pool_count(const struct hub_pool *pool);

/* How many more coroutines fit into the pool. Switches: no. */
unsigned hub_pool_free_count(const struct hub_pool *pool);

/* Kills all coroutines that are in the pool; coroutines spawned later are not affected. Switches:
 * no. */
void hub_pool_kill(struct hub_pool *pool);

/* Waits until the pool is empty.
 * Switches: yes, unless it is empty.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_pool_join(struct hub_pool *pool);

/* Runs body(argument) in the pool and waits for its result, which is NULL if the call fails. If a
 * coroutine of the pool itself calls this, the body runs at once, in the caller, since waiting for
 * the caller's own slot could never end.
 * Switches: yes.
 * Returns 0, or -1 with errno: the code of the body's failure, which is then also in *failure; or,
 * with failure->code 0, an errno of hub_pool_spawn: then the body has not run, or was killed and
 * awaited. */
int hub_pool_apply(struct hub_pool *pool, hub_fn *body, void *argument, void **result,
	struct hub_failure *failure);

/* Runs body on each of count arguments and stores the results in results, in the same order (NULL
 * for calls that failed or did not run); results may be the array of the arguments. All calls are
 * made, also after a failure.
 * Switches: yes.
 * Returns 0, or -1 as hub_pool_apply, with the failure whose argument comes first. */
int hub_pool_map(struct hub_pool *pool, hub_fn *body, void *const *arguments, size_t count,
	void **results, struct hub_failure *failure);

/* A map that is under way, whose results are taken one by one. */
struct hub_imap;

/* The orders in which a map's results are taken. */
enum hub_imap_order { HUB_IMAP_ORDERED, HUB_IMAP_AS_THEY_END, HUB_IMAP_ORDER_MAX };

/* Starts a map: runs body on each argument that next(input, &argument) gives, until next returns
 * false (hub_generator_next, cast, is such a function). At most ahead calls run, or have results
 * that are not taken. next runs in a coroutine of its own, and may call hub_fail before it returns
 * false. A coroutine of the same pool must not wait for results while the pool is full: it would
 * wait for its own slot.
 * Switches: no.  Ownership: pool and input are borrowed until hub_imap_free; the caller frees the
 * map.
 * Returns NULL with errno ENOMEM, EINVAL (ahead is 0), ECANCELED or EPERM. */
struct hub_imap *hub_imap_new(struct hub_pool *pool, hub_fn *body,
	bool (*next)(void *input, void **argument), void *input, size_t ahead,
	enum hub_imap_order order);

/* Takes the next result. The result of a failed call is NULL, with failure->code not 0; later
 * results follow all the same.
 * Switches: yes, unless a result is there.
 * Returns 1; 0 when all results are taken; or -1: when all results before a failure of the input (a
 * generator, or next itself) are taken, with its code in errno and the failure in *failure; or,
 * with failure->code 0, with errno ENOMEM, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_imap_next(struct hub_imap *imap, void **result, struct hub_failure *failure);

/* Ends a map: kills calls that still run, and waits until they have ended. NULL is ignored.
 * Switches: yes, if a call still runs. */
void hub_imap_free(struct hub_imap *imap);

HUBBUB_API_END

#endif

/* Pool: coroutines of which only so many run at a time; with no bound, a group. */
#ifndef HUBBUB_SYNC_POOL_H
#define HUBBUB_SYNC_POOL_H

#include <stdbool.h>

#include "../failure.h"
#include "group.h"
#include "semaphore.h"

HUBBUB_API_BEGIN

/* The fields are the library's. It lives until hub_pool_join has returned 0, to all who are in
 * it. */
struct hub_pool {
	struct hub_group group;
	struct hub_semaphore slots;
};

/* Makes pool an empty one for at most size coroutines; 0 means no bound. Switches: no. */
void hub_pool_init(struct hub_pool *pool, unsigned size);

/* Spawns a coroutine in the pool; waits while it is full. It leaves the pool, and frees itself,
 * when it ends; a failure is reported as that of a detached one.
 * Switches: yes, if the pool is full.  Ownership: the pool's; the pointer may be used, to name,
 * link or kill it, while it lives.
 * Returns NULL with errno ENOMEM, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
struct hub_coroutine *hub_pool_spawn(struct hub_pool *pool, hub_fn *body, void *argument);

/* As hub_pool_spawn, with NULL and errno EAGAIN for a full pool. Switches: no. */
struct hub_coroutine *hub_pool_try_spawn(struct hub_pool *pool, hub_fn *body, void *argument);

/* Waits until a coroutine could be spawned without waiting.
 * Switches: yes, if the pool is full.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_pool_wait(struct hub_pool *pool);

/* How many are in the pool. Switches: no. */
size_t hub_pool_count(const struct hub_pool *pool);

/* How many more fit. Switches: no. */
unsigned hub_pool_free_count(const struct hub_pool *pool);

/* Kills all that are in it; those spawned later live. Switches: no. */
void hub_pool_kill(struct hub_pool *pool);

/* Waits until the pool is empty.
 * Switches: yes, unless it is.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_pool_join(struct hub_pool *pool);

/* Runs body(argument) in the pool and waits for its result, which is NULL if this fails; called by
 * one of the pool's own coroutines it runs at once, in that one, since waiting for a slot of one's
 * own could never end.
 * Switches: yes.
 * Returns 0, or -1 with errno: the code of its failure, which is then also in *failure; or, with
 * failure->code 0, as hub_pool_spawn: it has not run then, or was killed and awaited. */
int hub_pool_apply(struct hub_pool *pool, hub_fn *body, void *argument, void **result,
	struct hub_failure *failure);

/* Runs body on each of count arguments and stores what they return in results, in the same order
 * (NULL for those that failed or did not run), which may be where the arguments were. All run, also
 * after a failure.
 * Switches: yes.
 * Returns 0, or -1 as hub_pool_apply, with the first failure by position. */
int hub_pool_map(struct hub_pool *pool, hub_fn *body, void *const *arguments, size_t count,
	void **results, struct hub_failure *failure);

/* A map under way whose results are taken one by one. */
struct hub_imap;

/* The orders in which a map's results are taken. */
enum hub_imap_order { HUB_IMAP_ORDERED, HUB_IMAP_AS_THEY_END, HUB_IMAP_ORDER_MAX };

/* Starts to run body on each argument that next(input, &argument) gives, until that returns false
 * (hub_generator_next, cast, is such a function); at most ahead of them run or lie finished and
 * untaken. next runs in a coroutine of its own, and may call hub_fail before it returns false. Not
 * for a coroutine of the same pool, if that is full: it would wait for its own place.
 * Switches: no.  Ownership: pool and input are borrowed until hub_imap_free; the caller frees.
 * Returns NULL with errno ENOMEM, EINVAL (ahead is 0), ECANCELED or EPERM. */
struct hub_imap *hub_imap_new(struct hub_pool *pool, hub_fn *body,
	bool (*next)(void *input, void **argument), void *input, size_t ahead,
	enum hub_imap_order order);

/* Takes the next result. That of a failed one is NULL, with failure->code not 0; later ones follow.
 * Switches: yes, unless there is one.
 * Returns 1; 0 when all were taken; or -1: when those were taken that came before the input failed
 * (a generator, or next itself), with its code in errno and the failure in *failure; or with
 * failure->code 0 and errno ENOMEM, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_imap_next(struct hub_imap *imap, void **result, struct hub_failure *failure);

/* Ends a map: what still runs is killed and awaited. NULL is ignored.
 * Switches: yes, if something still runs. */
void hub_imap_free(struct hub_imap *imap);

HUBBUB_API_END

#endif

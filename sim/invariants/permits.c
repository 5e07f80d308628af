/* Permits add up: those that are free, taken and on their way to a coroutine are those that a
 * semaphore was given. The calls on semaphores stand here, around the real ones (CMakeLists.txt
 * names them ..._itself). */
#include "sim/invariants/permits_priv.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/scheduler_priv.h"
#include "hub/sync/semaphore.h"
#include "hub/waiters_priv.h"
#include "sim/invariants/awaited_priv.h"
#include "sim/world/world_priv.h"

#define BUCKETS 256 /* a power of 2 */

struct account {
	struct account *next; /* in its bucket */
	const struct hub_semaphore *semaphore;
	uint64_t given, taken, on_way;
};

static struct account *accounts[BUCKETS]; /* owned */

static struct account *
account_of(const struct hub_semaphore *semaphore)
{
	struct account **bucket = &accounts[(uintptr_t)semaphore >> 4 & (BUCKETS - 1)];
	struct account *account = *bucket;

	while (account != NULL && account->semaphore != semaphore)
		account = account->next;
	if (account != NULL)
		return account;
	account = malloc(sizeof *account);
	CHECK_WHY(account != NULL, "no memory for a simulated world");
	*account = (struct account){
		.next = *bucket, .semaphore = semaphore, .given = semaphore->count};
	*bucket = account;
	return account;
}

static void
look_at(const struct account *account)
{
	unsigned count = account->semaphore->count;

	if (count + account->taken + account->on_way == account->given)
		return;
	world_fail("of the %ld permits that a semaphore was given, %ld are taken, %ld on their "
		   "way, and %ld free",
		(long)account->given, (long)account->taken, (long)account->on_way, (long)count);
}

/* A new semaphore may lie where another one lay. */
static void
begin(const struct hub_semaphore *semaphore)
{
	struct account *account;

	if (!world_exists())
		return;
	account = account_of(semaphore);
	account->given = semaphore->count;
	account->taken = account->on_way = 0;
}

/* The coroutine to which a permit will be handed; NULL: none. */
static const struct hub_coroutine *
heir_of(const struct hub_semaphore *semaphore)
{
	const struct hub_waiter *waiter = semaphore->first;

	while (waiter != NULL &&
		!(waiter->coroutine->state == COROUTINE_WAITING && waiter_waits(waiter)))
		waiter = waiter->next;
	return waiter != NULL ? waiter->coroutine : NULL;
}

void
permits_end(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (accounts[i] != NULL) {
			struct account *account = accounts[i];

			accounts[i] = account->next;
			free(account);
		}
}

/* ---- the calls ---- */

void _hub_semaphore_init_itself(struct hub_semaphore *semaphore, unsigned count);
void _hub_semaphore_init_bounded_itself(struct hub_semaphore *semaphore, unsigned count);
int _hub_semaphore_acquire_for_itself(struct hub_semaphore *semaphore, int64_t nanoseconds);
int _hub_semaphore_try_acquire_itself(struct hub_semaphore *semaphore);
int _hub_semaphore_release_itself(struct hub_semaphore *semaphore);

void
hub_semaphore_init(struct hub_semaphore *semaphore, unsigned count)
{
	_hub_semaphore_init_itself(semaphore, count);
	begin(semaphore);
}

void
hub_semaphore_init_bounded(struct hub_semaphore *semaphore, unsigned count)
{
	_hub_semaphore_init_bounded_itself(semaphore, count);
	begin(semaphore);
}

int
hub_semaphore_acquire(struct hub_semaphore *semaphore)
{
	return hub_semaphore_acquire_for(semaphore, HUB_FOREVER);
}

int
hub_semaphore_acquire_for(struct hub_semaphore *semaphore, int64_t nanoseconds)
{
	struct account *account = world_exists() ? account_of(semaphore) : NULL;
	bool must_wait = semaphore->count == 0;
	int result = _hub_semaphore_acquire_for_itself(semaphore, nanoseconds);

	if (result != 0 || account == NULL)
		return result;
	account->taken++;
	account->on_way -= must_wait;
	look_at(account);
	return 0;
}

int
hub_semaphore_try_acquire(struct hub_semaphore *semaphore)
{
	struct account *account = world_exists() ? account_of(semaphore) : NULL;
	int result = _hub_semaphore_try_acquire_itself(semaphore);

	if (result != 0 || account == NULL)
		return result;
	account->taken++;
	look_at(account);
	return 0;
}

int
hub_semaphore_release(struct hub_semaphore *semaphore)
{
	struct account *account = world_exists() ? account_of(semaphore) : NULL;
	const struct hub_coroutine *heir = heir_of(semaphore);
	int result = _hub_semaphore_release_itself(semaphore);

	if (result != 0 || account == NULL)
		return result;
	account->given++;
	/* A select takes it where it waits, and calls nothing. */
	if (heir != NULL && strcmp(heir->waits_for, "select") == 0)
		account->taken++;
	else
		account->on_way += heir != NULL;
	look_at(account);
	return 0;
}

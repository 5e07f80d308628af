#include "hub/patch/given_priv.h"

#include <hubbub/fork.h>
#include <pthread.h>
#include <stdatomic.h>

#define TABLE_SIZE (1 << 20)

/* How often this process has given descriptors to others, and what that was when a socket was made
 * here; 0 for what was not. */
static atomic_uint given = 1;
static atomic_uint made[TABLE_SIZE];

void
given_note(void)
{
	atomic_fetch_add(&given, 1);
}

unsigned
given_count(void)
{
	return atomic_load(&given);
}

void
given_made(int fd, unsigned count)
{
	if (fd >= 0 && fd < TABLE_SIZE && !hub_is_vforked())
		atomic_store(&made[fd], count);
}

void
given_forget(int fd)
{
	if (fd >= 0 && fd < TABLE_SIZE && atomic_load(&made[fd]) != 0)
		atomic_store(&made[fd], 0);
}

bool
given_to_nobody(int fd)
{
	return fd >= 0 && fd < TABLE_SIZE && atomic_load(&made[fd]) == atomic_load(&given);
}

static __attribute__((constructor)) void
start(void)
{
	/* What another thread makes meanwhile may be in the child or not. */
	pthread_atfork(given_note, given_note, NULL);
}

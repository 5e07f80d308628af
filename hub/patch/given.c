/* A count of how often this process has given its files away, and for each socket what that count
 * was when the socket was made: the file is the process's own as long as both are equal. Atomic;
 * any thread. */
#include "hub/patch/given_priv.h"

#include <hubbub/fork.h>
#include <pthread.h>
#include <stdatomic.h>

#define TABLE_SIZE (1 << 20)

/* made: per fd, the count when socket(2) made it here; 0 if it did not, or nothing is known. */
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
	/* A socket that another thread makes during the fork may or may not be in the child: so
	 * given_note is called before and after. */
	pthread_atfork(given_note, given_note, NULL);
}

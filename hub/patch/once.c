/* pthread_once: whoever comes while a routine runs waits for its end, which may be a coroutine's of
 * this thread. Nothing tells when that is: it is looked at now and then. */
#include <hubbub/fork.h>
#include <hubbub/timeout.h>

#include "hub/patch/patch_priv.h"

#define PAUSE_FIRST (HUB_MILLISECOND / 4)
#define PAUSE_MOST (16 * HUB_MILLISECOND)

/* glibc's: what is above counts the forks, since a routine that ran when one was made does not run
 * in the child. */
#define IS_RUNNING 1
#define IS_DONE 2
#define STATE 3

static _Thread_local const pthread_once_t *probe;
static _Thread_local int forks;

static void
look_at_probe(void)
{
	forks = *probe & ~STATE;
}

static bool
runs_here(int state)
{
	pthread_once_t own = PTHREAD_ONCE_INIT;

	if ((state & STATE) != IS_RUNNING)
		return false;
	probe = &own;
	REAL(pthread_once)(&own, look_at_probe);
	return (state & ~STATE) == forks;
}

int
patch_pthread_once(pthread_once_t *control, void (*routine)(void))
{
	int64_t pause = PAUSE_FIRST;

	while (runs_here(__atomic_load_n(control, __ATOMIC_ACQUIRE)) && !hub_is_vforked()) {
		struct hub_timeout shield;

		hub_shield_start(&shield);
		hub_sleep(pause);
		hub_shield_stop(&shield);
		pause = pause < PAUSE_MOST ? 2 * pause : pause;
	}
	return REAL(pthread_once)(control, routine);
}

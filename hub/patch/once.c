/* pthread_once: whoever comes while a routine runs waits for its end, which may be a coroutine's of
 * this thread. Nothing tells when that is: it is looked at now and then. The routine is called from
 * here, since libc keeps in the thread, on a stack of handlers, what is to be begun anew if the
 * thread is cancelled, and two coroutines do not leave theirs in order. Code of both may meet at
 * one. */
#include <dlfcn.h>
#include <hubbub/fork.h>
#include <hubbub/timeout.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
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

/* The state of one whose routine runs in this process. */
static int
running_here(void)
{
	pthread_once_t own = PTHREAD_ONCE_INIT;

	probe = &own;
	REAL(pthread_once)(&own, look_at_probe);
	return forks | IS_RUNNING;
}

static void
rest(int64_t *pause)
{
	struct hub_timeout shield;

	hub_shield_start(&shield);
	hub_sleep(*pause);
	hub_shield_stop(&shield);
	*pause = *pause < PAUSE_MOST ? 2 * *pause : *pause;
}

/* ---- unwinding ---- */

/* What the compiler makes of the cleanup below calls libgcc_s, when an exception or the end of a
 * thread comes through it. Whoever throws has that library, and libc loads it to end a thread:
 * programs that do neither start without it, since the two names that it would be needed for are
 * found here. The compiler, which calls them, declares neither; <unwind.h> would export them. */
int __gcc_personality_v0(int version, int actions, uint64_t class, void *exception, void *context);
void _Unwind_Resume(void *exception);

static void *
find(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);
	void *library = found == NULL ? dlopen("libgcc_s.so.1", RTLD_NOW) : NULL;

	if (library != NULL)
		found = dlsym(library, name);
	CHECK_WHY(found != NULL, "what leaves a routine of pthread_once needs libgcc_s.so.1");
	return found;
}

int
__gcc_personality_v0(int version, int actions, uint64_t class, void *exception, void *context)
{
	int (*personality)(int, int, uint64_t, void *, void *) = find("__gcc_personality_v0");

	return personality(version, actions, class, exception, context);
}

void
_Unwind_Resume(void *exception)
{
	void (*resume)(void *) = find("_Unwind_Resume");

	resume(exception);
	__builtin_unreachable();
}

/* ---- a routine ---- */

struct turn {
	pthread_once_t *control;
	int state; /* afterwards: as at first, if an exception or the thread's end leaves it */
};

/* Libc's threads sleep there. */
static void
end(const struct turn *turn)
{
	__atomic_store_n(turn->control, turn->state, __ATOMIC_RELEASE);
	kernel_futex(turn->control, FUTEX_WAKE_PRIVATE, INT_MAX);
}

static void
run(pthread_once_t *control, void (*routine)(void))
{
	struct turn turn __attribute__((cleanup(end))) = {control, PTHREAD_ONCE_INIT};

	routine();
	turn.state = IS_DONE;
}

int
patch_pthread_once(pthread_once_t *control, void (*routine)(void))
{
	int64_t pause = PAUSE_FIRST;
	int state = __atomic_load_n(control, __ATOMIC_ACQUIRE), running;

	if (state & IS_DONE)
		return 0;
	if (hub_is_vforked())
		return REAL(pthread_once)(control, routine);
	running = running_here();
	while (!(state & IS_DONE)) {
		if (state == running) {
			rest(&pause);
			state = __atomic_load_n(control, __ATOMIC_ACQUIRE);
		} else if (__atomic_compare_exchange_n(control, &state, running, false,
				   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			run(control, routine);
			return 0;
		}
	}
	return 0;
}

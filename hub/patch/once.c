/* pthread_once: a caller that comes while a routine runs waits for the routine's end, by looking at
 * the control every quarter to 16 ms, because the routine may run on another coroutine of the
 * thread, and its end wakes no coroutine. The routine is called from here and not from libc, which
 * would push a cleanup handler onto a stack of the thread's: two coroutines do not pop theirs in
 * reverse order. Threads may be in libc's pthread_once with the same control: so its values, and
 * the futex that threads sleep on, are glibc's. */
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

/* glibc's values of a control: two bits of state, and above them a count of forks, since a routine
 * that ran during a fork does not run in the child. */
#define IS_RUNNING 1
#define IS_DONE 2
#define STATE 3

/* What look_at_probe, which has no argument, looks at, and what it finds. */
static _Thread_local const pthread_once_t *probe;
static _Thread_local int forks;

static void
look_at_probe(void)
{
	forks = *probe & ~STATE;
}

/* The value of a control whose routine runs in this process: found while libc runs a routine. */
static int
running_here(void)
{
	pthread_once_t own = PTHREAD_ONCE_INIT;

	probe = &own;
	REAL(pthread_once)(&own, look_at_probe);
	return forks | IS_RUNNING;
}

/* Sleeps, shielded, and makes the next pause twice as long. */
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

/* The compiler's code for the cleanup attribute below calls two functions of libgcc_s when an
 * exception, or a thread that ends, unwinds through it. Code that throws has loaded that library,
 * and libc loads it to end a thread; all other programs start without it, since both functions are
 * defined here and look up the real ones. The compiler declares neither, and <unwind.h> would
 * export them. */
int __gcc_personality_v0(int version, int actions, uint64_t class, void *exception, void *context);
void _Unwind_Resume(void *exception);

static void *
find(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);
	void *library = found == NULL ? dlopen("libgcc_s.so.1", RTLD_NOW) : NULL;

	if (library != NULL)
		found = dlsym(library, name);
	CHECK_WHY(found != NULL,
		"an exception or a thread's end in a routine of pthread_once needs libgcc_s.so.1");
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
	int state; /* the control's at the end: PTHREAD_ONCE_INIT if the routine did not return */
};

/* Ends the turn, and wakes the threads that sleep in libc's pthread_once. */
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
	/* Another count of forks: the routine ran in a parent, and begins anew here. */
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

/* Running a hub, and sleeping in it.
 *
 * A hub is one thread's scheduler: a queue of runnable coroutines over one libev loop. Coroutines
 * run in the order in which they became runnable; a blocking call switches straight to the next
 * one. The loop is polled when the queue is empty or a slice of a millisecond is used up, so
 * neither busy coroutines nor ready descriptors starve the rest: at the end of a slice even a call
 * that need not wait, on a descriptor or on an object that threads share, lets the other coroutines
 * run first. */
#ifndef HUBBUB_SCHEDULER_H
#define HUBBUB_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

HUBBUB_API_BEGIN

#define HUB_MICROSECOND INT64_C(1000)
#define HUB_MILLISECOND INT64_C(1000000)
#define HUB_SECOND INT64_C(1000000000)
#define HUB_FOREVER INT64_MAX

#define HUB_SPIN_AUTO INT64_C(1) /* stands for 50 microseconds, about what a sleep costs */
#define HUB_SPIN_MOST HUB_MILLISECOND

/* How the hub waits for descriptors. */
enum hub_backend { HUB_BACKEND_EPOLL, HUB_BACKEND_POLL, HUB_BACKEND_MAX };

/* Zero means the default in each field. */
struct hub_options {
	size_t stack_size;        /* usable bytes per coroutine, 16 KiB to 1 GiB; default 64 KiB, or
				     HUBBUB_STACK_SIZE in the environment */
	enum hub_backend backend; /* default epoll */
	/* Where the hub counts; borrowed until hub_run ends; default: the hub's own. */
	struct hub_counters *counters;
	/* For how many nanoseconds the hub may look for events before it sleeps, HUB_SPIN_MOST at
	 * most, or HUB_SPIN_AUTO: where waits are as short as that, it answers earlier, and uses
	 * more of its CPU. It learns whether that pays, and does it only then. 0: it sleeps at
	 * once. */
	int64_t spin;
	void *room[3]; /* for later versions: NULL */
};

/* Runs a hub in this thread: body(argument) is its first coroutine. When that coroutine has ended,
 * the others are killed and awaited; a coroutine that ignores ECANCELED for ever keeps hub_run from
 * returning. Raw coroutines are left suspended, for their creator to free; one in a blocking call
 * counts as ended. Raw coroutines from before the run keep their stack size. Descriptors that are
 * still open stay open; the hub forgets them.
 * Switches: not a coroutine's call; it blocks the thread.  Thread: any that runs no hub.
 * Returns 0 with the first coroutine's result where result is not NULL; or -1 with errno EBUSY
 * (this thread runs a hub already, or a raw coroutine is the caller), EMFILE, ENFILE or ENOMEM; or,
 * if the first coroutine has failed (hub_fail), -1 with its code as errno and the result NULL,
 * after the failure was reported. */
int hub_run(hub_fn *body, void *argument, void **result);

/* hub_run with options (NULL: all defaults, and the backend that HUBBUB_BACKEND in the environment
 * names, epoll or poll, and the time to spin that HUBBUB_SPIN names, in microseconds).
 * Switches: as hub_run. Also fails with EINVAL (a stack size, backend or time to spin out of range,
 * or a room that is not NULL). */
int hub_run_with(const struct hub_options *options, hub_fn *body, void *argument, void **result);

/* Suspends the calling coroutine for at least that many nanoseconds. 0 or less lets every other
 * runnable coroutine run once; HUB_FOREVER sleeps until the coroutine is killed or times out. The
 * resolution is a millisecond, the unit of libev's epoll wait.
 * Switches: yes.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_sleep(int64_t nanoseconds);

/* Waits until no other coroutine is runnable and no descriptor or timer of the hub is ready: for
 * work of low priority.
 * Switches: yes.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT or EPERM. */
int hub_idle(void);

/* The library's: calls of hub_yield_due until the next one that looks at the clock. */
extern __thread unsigned hub_due_calls __attribute__((tls_model("initial-exec")));

/* The library's: the slow path of hub_yield_due. Switches: as hub_yield_due. */
int hub_yield_check(void);

/* For the inner loop of a long computation: lets other coroutines run if the caller's slice of a
 * millisecond is used up, and otherwise does nothing, at about the cost of a load and a compare.
 * Switches: at the end of a slice.  Returns 0, or -1 with errno ECANCELED, ETIMEDOUT (noticed only
 * when it looks at the clock) or EPERM. */
static inline int
hub_yield_due(void)
{
	unsigned left = __atomic_load_n(&hub_due_calls, __ATOMIC_RELAXED) - 1;

	__atomic_store_n(&hub_due_calls, left, __ATOMIC_RELAXED);
	return __builtin_expect(left != 0, 1) ? 0 : hub_yield_check();
}

/* The running coroutine; NULL outside of coroutines. Switches: no.  Errors: none. */
struct hub_coroutine *hub_current(void);

/* Whether the caller is a coroutine of a running hub, which a blocking call of this library would
 * suspend.
 * Switches: no.  Thread: any.  Errors: none. */
bool hub_can_wait(void);

/* The library's: whether this thread runs a hub. */
extern __thread bool hub_runs_here __attribute__((tls_model("initial-exec")));

/* Whether this thread runs a hub. Switches: no.  Thread: any.  Errors: none. */
static inline bool
hub_is_running(void)
{
	return hub_runs_here;
}

/* The time on CLOCK_MONOTONIC, in nanoseconds. Switches: no.  Thread: any.  Errors: none. */
int64_t hub_now(void);

HUBBUB_API_END

#endif

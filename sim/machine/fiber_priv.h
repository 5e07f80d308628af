/* Fibers: what stands for threads in the world. They share the real thread that runs it; each has a
 * stack, thread-local variables and an errno of its own. One goes on until it pauses; then one of
 * those that may is drawn, and if there is none, time passes. */
#ifndef HUBBUB_SIM_FIBER_PRIV_H
#define HUBBUB_SIM_FIBER_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world/world_priv.h"

struct host;

/* What a fiber waits for. Whether that has come is asked in any fiber. */
struct pause {
	const char *what; /* for the report */
	bool (*is_over)(void *object);
	int64_t (*end)(void *object); /* the world's time at which it is over, or INT64_MAX */
	void *object;
};

/* The caller becomes the first fiber, on that host. */
void fibers_begin(struct host *host);

/* Waits until all others have ended. The caller is the first. */
void fibers_end(void);

/* A new fiber runs run(object) on that host and ends. Aborts without memory. */
void fiber_start(struct host *host, void (*run)(void *object), void *object);

/* The host of the running fiber, NULL before the first begins and after the last has ended; and its
 * number: 1 for the first. */
extern struct host *fibers_host; /* fiber.c's */
static inline struct host *
fiber_host(void)
{
	return fibers_host;
}

long fiber_number(void);

/* The process (process_priv.h) of the running fiber, and that it belongs to another one from now
 * on. A new fiber belongs to its maker's. */
long fiber_process(void);
void fiber_enter_process(long process);

/* None of the process's fibers goes on any more. With the variables of each bury() is called, when
 * nobody runs on its stack, and then end(process). Does not return if the running one is among
 * them; preemption is enabled then. */
void fibers_kill(long process, void (*bury)(void), void (*end)(long process));

/* None of the process's fibers goes on until they are let. The running one is not among them. */
void fibers_stop(long process, bool are_stopped);

/* Others go on until this pause is over; NULL: it is at once, but others may go on first. Switches
 * fibers; no mutex that another one may lock is held. */
void fiber_pause(const struct pause *pause);

/* Writes to a descriptor what each hub and its coroutines wait for. */
void fibers_dump(int fd);

/* A call of the kernel begins, where another fiber may go on first, as the kernel may let any other
 * thread (options->preempted). The caller may hold mutexes: whoever wants one waits (mutex.c). */
void fiber_be_preempted(void);

static inline void
fiber_preemption_point(void)
{
	if (__builtin_expect(world_options()->preempted != 0, 0))
		fiber_be_preempted();
}

/* Within, no fiber is preempted: for what a thread may do at any time, but the world must do at
 * once. Nothing in between pauses. */
void fiber_preempt_disable(void);
void fiber_preempt_enable(void);

/* The run cannot end: prints the report, and what each hub and its coroutines wait for, and
 * aborts. */
_Noreturn void fibers_give_up(const char *why);

#endif

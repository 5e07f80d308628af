/* The context switch: from one stack to another in this thread, about one nanosecond.
 *
 * An assembly routine called with the C convention has to keep the callee-saved registers, and its
 * `ret` goes where the return predictor does not expect it. Here the switch is inline and declares
 * every register clobbered instead: the compiler itself saves what is alive at that very point,
 * often nothing, and the switch stores only stack pointer, frame pointer and resume address, and
 * ends in an indirect jump, which the branch predictor learns.
 *
 * The floating-point environment (rounding, exceptions) belongs to the thread, not to a coroutine.
 * The stack pointer is on a valid stack at every instruction, so a signal may arrive anywhere. */
#ifndef HUBBUB_ARCH_SWITCH_H
#define HUBBUB_ARCH_SWITCH_H

/* A suspended stack: where it goes on. The assembly knows the layout. */
struct arch_context {
	void *sp; /* stack pointer */
	void *fp; /* frame pointer; before the first switch: what arch_entry passes on */
	void *ip; /* resume address */
};

/* A new stack's first instruction: calls hub_coroutine_main(fp, value of the first switch), which
 * never returns. Marked as the outermost frame, so that debuggers and unwinders stop there. */
void arch_entry(void);

/* arch_switch for where the switch is a function's last act and its callers differ: the return goes
 * straight to the caller's caller, by a jump. Three nanoseconds, against nine where a plain return
 * follows the switch and is mispredicted. */
void *arch_switch_tail(struct arch_context *from, const struct arch_context *to, void *value);

#if defined(__x86_64__)
#include "x86_64/switch_priv.h"
#elif defined(__aarch64__)
#include "aarch64/switch_priv.h"
#else
#error "hubbub knows x86-64 and aarch64; for another architecture add a directory here"
#endif

/* Makes the first switch to context start arch_entry on the stack that ends below top, with this
 * argument of hub_coroutine_main. */
static inline void
arch_context_init(struct arch_context *context, void *top, void *argument)
{
	/* Both ABIs want a stack pointer that is a multiple of 16 at a call. */
	context->sp = (void *)((__UINTPTR_TYPE__)top & ~(__UINTPTR_TYPE__)15);
	context->fp = argument;
	context->ip = (void *)arch_entry;
}

#endif

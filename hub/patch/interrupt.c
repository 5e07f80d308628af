/* Signals: what their handlers may call, and whom they interrupt.
 *
 * The application's handlers are called by one of ours, which stands in the kernel's table instead
 * and which the application is never shown. It notes that a handler runs, so that calls in it are
 * libc's own: it may have interrupted the hub anywhere. And it sees to it that one coroutine that
 * waits is interrupted, as a signal interrupts one thread:
 *
 * 	handler --(eventfd)--> the hub's messenger --(hub_interrupt)--> whoever has waited longest
 */
#include <dlfcn.h>
#include <errno.h>
#include <hubbub/coroutine.h>
#include <hubbub/io/fd.h>
#include <hubbub/scheduler.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/link.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/real_priv.h"

#define SIGNALS 65
#define NESTED_MOST 16

/* A handler's frames lie below where it began, this near. */
#define FRAMES_SIZE ((size_t)1024 * 1024)

typedef void handler_fn(int number, siginfo_t *info, void *context);

/* What the application has installed. */
static struct {
	handler_fn *_Atomic handler;
	atomic_int flags;
} installed[SIGNALS];

/* How many signals have one. */
static atomic_int handlers;

atomic_bool patch_exiting;

/* The handlers that run, and where they began. One that was left by longjmp(3) stays until somebody
 * looks. */
static _Thread_local struct {
	const char *frame;
	struct hub_coroutine *coroutine;
} running[NESTED_MOST];
static _Thread_local volatile sig_atomic_t nested;

/* Who waits, first the one that has waited longest. */
static _Thread_local struct interruptible *waits_first, *waits_last;
/* The messenger's eventfd, or -1 with an offset of one, so that zero is none. */
static _Thread_local volatile sig_atomic_t bell;
/* Interruptions that the messenger has not delivered, with and without SA_RESTART. */
static _Thread_local atomic_int restarting, ending;
/* Handlers that have run, ever. */
static _Thread_local volatile sig_atomic_t handled;

bool
interrupt_in_handler(void)
{
	const char *here = __builtin_frame_address(0);

	while (nested > 0) {
		int top = nested - 1;
		const char *frame = top < NESTED_MOST ? running[top].frame : here;

		if (top >= NESTED_MOST)
			return true;
		if (running[top].coroutine == hub_current() && here <= frame &&
			(size_t)(frame - here) < FRAMES_SIZE)
			return true;
		nested = top;
	}
	return false;
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
	handler_fn *handler = atomic_load(&installed[number].handler);
	int flags = atomic_load(&installed[number].flags), depth = nested, error;
	uint64_t one = 1;

	if (depth < NESTED_MOST) {
		running[depth].frame = __builtin_frame_address(0);
		running[depth].coroutine = hub_current();
	}
	nested = depth + 1;
	handled = handled + 1;
	if (handler != NULL)
		handler(number, info, context);
	nested = depth;
	error = errno;
	if (bell == 0)
		return;
	if (flags & SA_RESTART)
		atomic_fetch_add(&restarting, 1);
	else
		atomic_fetch_add(&ending, 1);
	/* If it is full, it rings already. */
	if (kernel_write(bell - 1, &one, sizeof one) < 0)
		errno = error;
	errno = error;
}

/* ---- the messenger ---- */

static _Thread_local struct hub_link link_to_end;

/* One that waits with a mask of its own has let the signal in: it comes first. */
static void
interrupt_one(bool is_restarting)
{
	for (struct interruptible *wait = waits_first; wait != NULL; wait = wait->next)
		if (wait->kind == WAIT_MASKED && hub_interrupt(wait->coroutine))
			return;
	for (struct interruptible *wait = waits_first; wait != NULL; wait = wait->next)
		if (!(is_restarting && wait->kind == WAIT_RESTARTED) &&
			hub_interrupt(wait->coroutine))
			return;
}

static void *
carry(void *argument)
{
	int fd = (int)(intptr_t)argument;
	uint64_t count;

	while (hub_await_fd(fd, POLLIN, HUB_FOREVER) == 1) {
		if (kernel_read(fd, &count, sizeof count) < 0)
			continue;
		for (int left = atomic_exchange(&restarting, 0); left > 0; left--)
			interrupt_one(true);
		for (int left = atomic_exchange(&ending, 0); left > 0; left--)
			interrupt_one(false);
	}
	/* The program has closed all that was open; else the hub ends. */
	if (errno == EBADF)
		bell = 0;
	return NULL;
}

/* Also of a messenger that the hub's end has met before it ever ran. */
static void
messenger_ended(struct hub_link *link, struct hub_coroutine *messenger)
{
	(void)link, (void)messenger;
	if (bell != 0)
		hub_close(bell - 1);
	bell = 0;
}

/* Signals stay without effect on waits where there is no memory for it. */
static void
start_messenger(void)
{
	struct hub_coroutine *messenger;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd == -1)
		return;
	messenger = hub_spawn(carry, (void *)(intptr_t)fd);
	if (messenger == NULL) {
		kernel_close(fd);
		return;
	}
	hub_set_name(messenger, "patch: signals");
	link_to_end.ended = messenger_ended;
	hub_link(messenger, &link_to_end);
	hub_detach(messenger);
	atomic_store(&restarting, 0);
	atomic_store(&ending, 0);
	bell = fd + 1;
}

void
interruptible_begin(struct interruptible *wait, enum wait_kind kind)
{
	int error = errno;

	if (bell == 0 && atomic_load(&handlers) > 0)
		start_messenger();
	*wait = (struct interruptible){NULL, waits_last, hub_current(), kind};
	if (waits_last != NULL)
		waits_last->next = wait;
	else
		waits_first = wait;
	waits_last = wait;
	errno = error;
}

void
interruptible_end(struct interruptible *wait)
{
	if (wait->previous != NULL)
		wait->previous->next = wait->next;
	else
		waits_first = wait->next;
	if (wait->next != NULL)
		wait->next->previous = wait->previous;
	else
		waits_last = wait->previous;
}

/* ---- masks ---- */

/* While some wait with masks of their own, the thread has what all of them let through; the one
 * that it had before is restored after the last. */
static _Thread_local unsigned masked_waits;
static _Thread_local sigset_t mask_before;

bool
masked_begin(struct masked *masked, const sigset_t *mask)
{
	sigset_t now;
	int before = (int)handled;

	masked->is_set = mask != NULL;
	if (mask == NULL)
		return true;
	if (masked_waits++ == 0) {
		pthread_sigmask(SIG_SETMASK, mask, &mask_before);
	} else {
		pthread_sigmask(SIG_SETMASK, NULL, &now);
		sigandset(&now, &now, mask);
		pthread_sigmask(SIG_SETMASK, &now, NULL);
	}
	if ((int)handled == before)
		return true;
	errno = EINTR;
	return false;
}

void
masked_end(struct masked *masked)
{
	int error = errno;

	if (masked->is_set && --masked_waits == 0)
		pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
	errno = error;
}

/* A child has none of the parent's coroutines, and its own signals are nothing to the parent. */
static void
forget(void)
{
	if (bell != 0)
		kernel_close(bell - 1);
	bell = 0;
	waits_first = waits_last = NULL;
	if (masked_waits > 0)
		pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
	masked_waits = 0;
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, forget);
}

/* ---- installing ---- */

/* Faults are for the debuggers and for the hub's own guards; SIGURG is its watchdog's, who
 * interrupts nobody. */
static bool
is_left_alone(int number)
{
	return number <= 0 || number >= SIGNALS || number == SIGSEGV || number == SIGBUS ||
	       number == SIGFPE || number == SIGILL || number == SIGTRAP || number == SIGABRT ||
	       number == SIGURG;
}

/* Libev's handlers are the hub's own: see hub/signal.h. */
static bool
is_hubs(const struct sigaction *action)
{
	void *address;
	Dl_info info;

	memcpy(&address, &action->sa_sigaction, sizeof address);
	return dladdr(address, &info) != 0 && info.dli_fname != NULL &&
	       strstr(info.dli_fname, "libev.so") != NULL;
}

static bool
is_handler(const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* What the application had, in place of ours. */
static void
show(struct sigaction *action, handler_fn *handler, int flags)
{
	if (action->sa_sigaction != on_signal)
		return;
	action->sa_sigaction = handler;
	action->sa_flags = (action->sa_flags & ~SA_SIGINFO) | (flags & SA_SIGINFO);
}

int
patch_sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
	struct sigaction ours, was;
	handler_fn *handler;
	int flags, result;

	if (is_left_alone(number))
		return REAL(sigaction)(number, action, before);
	handler = atomic_load(&installed[number].handler);
	flags = atomic_load(&installed[number].flags);
	if (action == NULL || !is_handler(action) || is_hubs(action)) {
		result = REAL(sigaction)(number, action, &was);
		if (result == 0 && action != NULL && was.sa_sigaction == on_signal)
			atomic_fetch_sub(&handlers, 1);
	} else {
		ours = *action;
		atomic_store(&installed[number].flags, action->sa_flags);
		atomic_store(&installed[number].handler, action->sa_sigaction);
		ours.sa_sigaction = on_signal;
		ours.sa_flags |= SA_SIGINFO;
		result = REAL(sigaction)(number, &ours, &was);
		if (result == 0 && was.sa_sigaction != on_signal)
			atomic_fetch_add(&handlers, 1);
	}
	if (result != 0)
		return result;
	if (before != NULL) {
		*before = was;
		show(before, handler, flags);
	}
	return 0;
}

sighandler_t
patch_signal(int number, sighandler_t handler)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;

	if (handler == SIG_ERR || is_left_alone(number))
		return REAL(signal)(number, handler);
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, number);
	return patch_sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

/* Libc changes the action where only the kernel is asked. */
int
patch_siginterrupt(int number, int interrupts)
{
	struct sigaction action;

	if (patch_sigaction(number, NULL, &action) != 0)
		return -1;
	if (interrupts)
		action.sa_flags &= ~SA_RESTART;
	else
		action.sa_flags |= SA_RESTART;
	return patch_sigaction(number, &action, NULL);
}

/* What runs at exit may be anywhere: nobody else runs meanwhile. */
PATCH_EXPORT void
exit(int status)
{
	atomic_store(&patch_exiting, true);
	REAL(exit)(status);
	__builtin_unreachable();
}

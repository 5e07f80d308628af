/* Signal handlers: what they may call, and which coroutine they interrupt.
 *
 * The application's handlers are called by on_signal, which stands in the kernel's table in their
 * place and which the application is never shown. It notes that a handler runs, so that calls in
 * the handler are libc's own: the handler may have interrupted the hub anywhere. And it has one
 * waiting coroutine interrupted, as a signal interrupts one thread:
 *
 *	handler --(eventfd)--> the hub's messenger --(hub_interrupt)--> the longest waiter */
#include <dlfcn.h>
#include <errno.h>
#include <hubbub/coroutine.h>
#include <hubbub/fork.h>
#include <hubbub/io/fd.h>
#include <hubbub/io/own.h>
#include <hubbub/scheduler.h>
#include <signal.h>
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

/* A handler's frames lie below that of on_signal, by so many bytes at most. */
#define FRAMES_SIZE ((size_t)1024 * 1024)

typedef void handler_fn(int number, siginfo_t *info, void *context);

/* The handlers that the application has installed, and their flags, by signal. */
static struct {
	handler_fn *_Atomic handler;
	atomic_int flags;
} installed[SIGNALS];

/* How many signals have a handler of the application's. */
static atomic_int handlers;

/* The handlers that run in this thread, innermost last: on_signal's frame, and the coroutine that
 * was interrupted. A handler left by longjmp(3) stays until interrupt_in_handler looks. */
static _Thread_local struct {
	const char *frame;
	struct hub_coroutine *coroutine;
} running[NESTED_MOST];
static _Thread_local volatile sig_atomic_t nested;

/* This thread's waits, the longest first. */
static _Thread_local struct interruptible *waits_first, *waits_last;
/* The messenger's eventfd plus one; 0 without a messenger. */
static _Thread_local volatile sig_atomic_t bell;
/* Interruptions that the messenger has not delivered: by handlers with SA_RESTART, and without. */
static _Thread_local atomic_int restarting, ending;
/* aims: by signal, the coroutine that the next one is meant for, until its handler runs. aimed:
 * after that, until the messenger delivers; the lowest bit is SA_RESTART. */
static _Atomic(struct hub_coroutine *) aims[SIGNALS];
#define AIMED_MOST 16
static _Thread_local _Atomic uintptr_t aimed[AIMED_MOST];
/* Handlers that have run in this thread, ever; and those without SA_RESTART. */
static _Thread_local volatile sig_atomic_t handled;
static _Thread_local volatile sig_atomic_t endings;

unsigned
interrupt_handled(void)
{
	return (unsigned)handled;
}

unsigned
interrupt_endings(void)
{
	return (unsigned)endings;
}

bool
interrupt_in_handler(void)
{
	const char *here = __builtin_frame_address(0);

	while (nested > 0) {
		int top = nested - 1;
		const char *frame = top < NESTED_MOST ? running[top].frame : here;

		if (top >= NESTED_MOST)
			return true;
		/* Otherwise longjmp(3) has left the handler, or another coroutine runs. */
		if (running[top].coroutine == hub_current() && here <= frame &&
			(size_t)(frame - here) < FRAMES_SIZE)
			return true;
		nested = top;
	}
	return false;
}

void
interrupt_aim(int number, struct hub_coroutine *coroutine)
{
	if (number > 0 && number < SIGNALS && atomic_load(&installed[number].handler) != NULL)
		atomic_store(&aims[number], coroutine);
}

/* In on_signal: leaves the coroutine to the messenger. Without room, the wait goes on. */
static void
note_aimed(struct hub_coroutine *aim, bool is_restarting)
{
	for (size_t i = 0; i < AIMED_MOST; i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong(
			    &aimed[i], &none, (uintptr_t)aim | is_restarting))
			return;
	}
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
	handler_fn *handler = atomic_load(&installed[number].handler);
	int flags = atomic_load(&installed[number].flags), depth = nested, error;
	struct hub_coroutine *aim;
	bool is_vforked = hub_is_vforked();
	uint64_t one = 1;

	/* A child of vfork(2) that ended in the handler would leave it noted in its parent. */
	if (depth < NESTED_MOST && !is_vforked) {
		running[depth].frame = __builtin_frame_address(0);
		running[depth].coroutine = hub_current();
	}
	if (!is_vforked)
		nested = depth + 1;
	handled = handled + 1;
	if (!(flags & SA_RESTART))
		endings = endings + 1;
	/* The kernel has put the default action back. */
	if ((flags & SA_RESETHAND) && !is_vforked)
		atomic_fetch_sub(&handlers, 1);
	if (handler != NULL)
		handler(number, info, context);
	if (!is_vforked)
		nested = depth;
	error = errno;
	/* A child's signals interrupt none of its parent's coroutines. */
	if (bell == 0 || hub_is_inherited())
		return;
	if ((info->si_code == SI_TKILL || info->si_code == SI_QUEUE) &&
		(aim = atomic_exchange(&aims[number], NULL)) != NULL)
		note_aimed(aim, flags & SA_RESTART);
	else if (flags & SA_RESTART)
		atomic_fetch_add(&restarting, 1);
	else
		atomic_fetch_add(&ending, 1);
	/* EAGAIN: the counter is full, so the messenger is about to run. */
	if (kernel_write(bell - 1, &one, sizeof one) < 0)
		errno = error;
	errno = error;
}

/* ---- the messenger ---- */

static _Thread_local struct hub_link link_to_end;

/* Whether a handler, with or without SA_RESTART, ends this wait: one that has run since the wait's
 * call first waited, not one that ran earlier and is delivered only now. */
static bool
is_met(const struct interruptible *wait, bool is_restarting)
{
	unsigned ended = (unsigned)endings - wait->since->endings;

	if (!is_restarting)
		return ended != 0;
	return wait->kind != WAIT_RESTARTED && (unsigned)handled - wait->since->handled != ended;
}

/* A wait with a mask of its own has let the signal in: it comes first. */
static void
interrupt_one(bool is_restarting)
{
	for (struct interruptible *wait = waits_first; wait != NULL; wait = wait->next)
		if (wait->kind == WAIT_MASKED && is_met(wait, is_restarting) &&
			hub_interrupt(wait->coroutine))
			return;
	for (struct interruptible *wait = waits_first; wait != NULL; wait = wait->next)
		if (is_met(wait, is_restarting) && hub_interrupt(wait->coroutine))
			return;
}

static void
interrupt_aimed(void)
{
	for (size_t i = 0; i < AIMED_MOST; i++) {
		uintptr_t aim = atomic_exchange(&aimed[i], 0);

		for (struct interruptible *wait = aim != 0 ? waits_first : NULL; wait != NULL;
			wait = wait->next)
			if ((uintptr_t)wait->coroutine == (aim & ~(uintptr_t)1) &&
				is_met(wait, aim & 1) && hub_interrupt(wait->coroutine))
				break;
	}
}

/* The messenger's body. */
static void *
carry(void *argument)
{
	int fd = (int)(intptr_t)argument;
	uint64_t count;

	while (hub_await_fd(fd, POLLIN, HUB_FOREVER) == 1) {
		if (kernel_read(fd, &count, sizeof count) < 0)
			continue;
		interrupt_aimed();
		for (int left = atomic_exchange(&restarting, 0); left > 0; left--)
			interrupt_one(true);
		for (int left = atomic_exchange(&ending, 0); left > 0; left--)
			interrupt_one(false);
	}
	/* EBADF: the program has closed every fd. Otherwise the hub ends. */
	if (errno == EBADF) {
		hub_disown(bell - 1);
		bell = 0;
	}
	return NULL;
}

/* Called, too, for a messenger that the hub's end kills before it ever runs. */
static void
messenger_ended(struct hub_link *link, struct hub_coroutine *messenger)
{
	(void)link, (void)messenger;
	if (bell != 0) {
		hub_disown(bell - 1);
		hub_close(bell - 1);
	}
	bell = 0;
}

/* Without memory for a messenger, signals do not interrupt waits. */
static void
start_messenger(void)
{
	struct hub_coroutine *messenger;
	int fd = hub_own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

	if (fd == -1)
		return;
	messenger = hub_spawn(carry, (void *)(intptr_t)fd);
	if (messenger == NULL) {
		hub_disown(fd);
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
interruptible_begin(struct interruptible *wait, enum wait_kind kind, struct since *since)
{
	int error = errno;

	if (bell == 0 && atomic_load(&handlers) > 0)
		start_messenger();
	if (!since->is_known)
		*since = (struct since){true, (unsigned)handled, (unsigned)endings};
	*wait = (struct interruptible){NULL, waits_last, hub_current(), kind, since};
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

/* In a forked child, whose signals must not wake the parent's messenger. */
static void
forget(void)
{
	if (bell != 0)
		kernel_close(bell - 1);
	bell = 0;
	waits_first = waits_last = NULL;
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, forget);
}

/* ---- installing ---- */

/* Signals whose handlers stay as they are: faults, for debuggers and the hub's guards, and SIGURG,
 * the watchdog's, which interrupts no wait. */
static bool
is_left_alone(int number)
{
	return number <= 0 || number >= SIGNALS || number == SIGSEGV || number == SIGBUS ||
	       number == SIGFPE || number == SIGILL || number == SIGTRAP || number == SIGABRT ||
	       number == SIGURG;
}

/* Whether the handler is libev's, which works for the hub: hub/signal.h. */
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

/* Shows the application its own handler in place of on_signal. */
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
	/* What a child of vfork(2) installs is its own, but `installed` is its parent's. */
	if (hub_is_vforked()) {
		result = REAL(sigaction)(number, action, &was);
	} else if (action == NULL || !is_handler(action) || is_hubs(action)) {
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

/* signal(2), as programs of strict standards have it: -std=c99, _XOPEN_SOURCE. */
sighandler_t
patch___sysv_signal(int number, sighandler_t handler)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESETHAND | SA_NODEFER},
			 before;

	if (handler == SIG_ERR || is_left_alone(number))
		return REAL(__sysv_signal)(number, handler);
	sigemptyset(&action.sa_mask);
	return patch_sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

/* sigset(3) also unblocks the signal; with SIG_HOLD it blocks the signal instead. */
sighandler_t
patch_sigset(int number, sighandler_t disposition)
{
	struct sigaction action = {.sa_handler = disposition}, before;
	sigset_t one, held;

	if (disposition == SIG_ERR || is_left_alone(number))
		return REAL(sigset)(number, disposition);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigemptyset(&action.sa_mask);
	if (disposition == SIG_HOLD) {
		if (patch_sigaction(number, NULL, &before) != 0 ||
			pthread_sigmask(SIG_BLOCK, &one, &held) != 0)
			return SIG_ERR;
	} else if (patch_sigaction(number, &action, &before) != 0 ||
		   pthread_sigmask(SIG_UNBLOCK, &one, &held) != 0) {
		return SIG_ERR;
	}
	return sigismember(&held, number) ? SIG_HOLD : before.sa_handler;
}

/* libc's own would change the action past patch_sigaction. */
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

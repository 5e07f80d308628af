/* What the functions that stand before the C library's have in common. */
#ifndef HUBBUB_PATCH_PATCH_PRIV_H
#define HUBBUB_PATCH_PATCH_PRIV_H

#include <hubbub/scheduler.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hub/patch/calls.h"
#include "hub/patch/patch.h"
#include "hub/patch/real_priv.h"

/* Not a family: calls are timed. */
#define PATCH_REPORTED (1U << 31)

/* The families that are patched, and PATCH_REPORTED. */
extern atomic_uint patch_active;

/* Where the call of this thread's that suspends now comes from; until it suspends. */
extern _Thread_local const void *patch_caller;

/* The rest of patch_suspends, in a thread that runs a hub. */
bool patch_suspends_here(unsigned family);

/* Whether a call of that family suspends a coroutine here and now: not in a signal's handler, which may have interrupted
 * anything, nor once the process exits. */
static inline bool
patch_suspends(unsigned family)
{
	return __builtin_expect(hub_is_running(), 0) && patch_suspends_here(family);
}

/* After a call that suspended and was told ECANCELED: if it was pthread_cancel, the thread ends here. Keeps errno. */
void patch_canceled(unsigned family);

/* Each call's number, in the table's order. */
enum patch_call {
#define NUMBER(kind, family, result, name, parameters, arguments) CALL_##name,
	PATCH_CALLS(NUMBER)
#undef NUMBER
		CALL_MAX
};

/* The cooperative forms, one for each call that waits or is noted. */
#define DECLARE(kind, family, result, name, parameters, arguments)                                 \
	DECLARE_##kind(result, name, parameters)
#define DECLARE_WAITS(result, name, parameters) result patch_##name parameters;
#define DECLARE_NOTES(result, name, parameters) result patch_##name parameters;
#define DECLARE_BLOCKS(result, name, parameters)
PATCH_CALLS(DECLARE)
#undef DECLARE
#undef DECLARE_WAITS
#undef DECLARE_NOTES
#undef DECLARE_BLOCKS

/* What is exported. */
#define PATCH_EXPORT __attribute__((visibility("default")))

/* ---- report.c ---- */

/* The clock if this call is to be timed: reports are asked for, and this thread runs a hub. 0 otherwise. */
int64_t report_begin(void);

/* Counts the call if it took long enough to hold the hub up. Keeps errno. */
void report_end(enum patch_call call, int64_t began);

/* ---- interrupt.c ---- */

/* Whether the caller runs in a signal's handler. */
bool interrupt_in_handler(void);

/* exit(3) has been called. */
extern atomic_bool patch_exiting;

/* What a signal's handler does to a wait: signal(7). */
enum wait_kind {
	WAIT_RESTARTED, /* ends it with EINTR, unless it was installed with SA_RESTART */
	WAIT_ENDED,     /* ends it */
	WAIT_MASKED,    /* ends it, before any other: it waits with a mask of its own */
};

/* A wait that a signal's handler may end with EINTR. */
struct interruptible {
	struct interruptible *next;
	struct interruptible *previous;
	struct hub_coroutine *coroutine;
	enum wait_kind kind;
};

/* Around each blocking call of the hub's that a signal may interrupt. Keeps errno. */
void interruptible_begin(struct interruptible *wait, enum wait_kind kind);
void interruptible_end(struct interruptible *wait);

/* The thread's signal mask during a wait that brings one of its own. mask NULL: nothing is done. */
struct masked {
	bool is_set;
	sigset_t mask;
};

/* Returns false with errno EINTR if a handler has run already. */
bool masked_begin(struct masked *masked, const sigset_t *mask);
void masked_end(struct masked *masked);

/* ---- descriptor.c ---- */

/* Whether the application has made fd non-blocking, whatever the kernel's flag says. */
bool descriptor_is_nonblocking(int fd);

/* Whether the kernel's flag is ours or the hub's, and not the application's. */
bool descriptor_is_hidden(int fd);

/* fd is made non-blocking in the kernel and stays blocking to the application. Returns 0; or -1, and the flag is as it
 * was: fd is above the table, or not open. */
int descriptor_hide_nonblocking(int fd);

/* Before this thread's hub waits for a number: another thread may have closed it since it last did. */
void descriptor_look(int fd);

/* How often a number was closed or made, by any thread: another answer, another descriptor. 0 for
 * numbers above the table. */
uint32_t descriptor_generation(int fd);

/* A number that has just been made: whatever was known of it belongs to another descriptor. */
void descriptor_new(int fd);
void descriptor_range_new(unsigned first, unsigned last);

/* A number that means the same open file as another one. */
void descriptor_copy(int fd, int to);

/* Sets or clears the kernel's flag of all that is blocking to the application and that a new program gets, which cannot
 * know that the flag is not meant for it. It writes no memory: this may be a child of vfork(2). Keeps errno. */
void descriptor_set_inherited(bool is_nonblocking);

/* One call's patience: what a socket's SO_RCVTIMEO or SO_SNDTIMEO allows, over all its waits. */
struct patience {
	int fd;
	short events; /* POLLIN or POLLOUT */
	bool is_begun;
	int64_t end;    /* HUB_FOREVER for none */
	unsigned tries; /* waits since anything went through */
};

/* How much of it is left, in nanoseconds; HUB_FOREVER for no end. */
int64_t patience_left(struct patience *patience);

/* After EAGAIN: waits until it is worth trying again. Returns true, or false with errno: EAGAIN (the application wants to
 * be told, by flags or by the descriptor's own, or the time is up), EBADF, EINTR, ECANCELED, ESHUTDOWN and others. */
bool patience_wait(struct patience *patience, int flags);

/* ---- cancel.c: threads that are coroutines ---- */

/* Whether the caller is a thread that is a coroutine. */
bool create_is_thread(void);

/* Whether this is the host's thread. */
bool create_is_host(void);

/* Whether pthread_cancel was called for the caller, a thread that is a coroutine. */
bool create_is_cancelled(void);

/* ---- time.c ---- */

/* How long it is until a deadline on that clock, in nanoseconds, 0 at least. */
int64_t patch_time_left(clockid_t clock, const struct timespec *end);

static inline int64_t
patch_nanoseconds(const struct timespec *time)
{
	if (time->tv_sec >= INT64_MAX / HUB_SECOND)
		return HUB_FOREVER;
	return time->tv_sec * HUB_SECOND + time->tv_nsec;
}

static inline bool
patch_is_valid(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < HUB_SECOND;
}

#endif

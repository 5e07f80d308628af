/* A memo: what a worker and its master leave for each other in memory that both have mapped, and
 * that needs no message. Master and worker are one program: unlike counters, a memo is never read
 * by another release. */
#ifndef HUBBUB_WORKER_MEMO_H
#define HUBBUB_WORKER_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#define MEMO_WHY_SIZE 256 /* bytes of a text that says why a hook failed */

/* The hooks of a service, in the order in which they run (hooks.h). */
enum memo_hook {
	MEMO_WORKER_START,
	MEMO_HUB_START,
	MEMO_RELOADED,
	MEMO_DRAINING,
	MEMO_HUB_STOP,
	MEMO_WORKER_STOP,
	MEMO_HOOK_MAX
};

extern const char *const memo_hook_names[MEMO_HOOK_MAX];

struct worker_memo {
	/* Written by the master. */
	uint32_t workers; /* of the worker's generation */
	/* Written by the worker's hubs. */
	uint32_t running[MEMO_HOOK_MAX]; /* in how many hubs the hook runs now */
	/* Why the worker cannot start: the first text counts. Written also by the master, if a hook
	 * has not returned in time. */
	uint32_t failures;
	uint32_t is_written; /* why is whole */
	char why[MEMO_WHY_SIZE];
};

/* Makes an empty memo, which children share. NULL with errno ENOMEM. */
struct worker_memo *memo_new(void);

/* Unmaps it here, and sets *memo to NULL; NULL is ignored. */
void memo_free(struct worker_memo **memo);

/* Around each call of a hook. */
void memo_enter(struct worker_memo *memo, enum memo_hook hook);
void memo_leave(struct worker_memo *memo, enum memo_hook hook);

/* A hook that runs now; MEMO_HOOK_MAX if none does. */
enum memo_hook memo_running(const struct worker_memo *memo);

/* Notes why the worker cannot start. A long text is cut. */
void memo_fail(struct worker_memo *memo, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Why the worker cannot start; NULL if nobody has said. The memo is memory of the worker, where a
 * stray write may leave anything: the text is copied and ended. Static until the next call. */
const char *memo_why(const struct worker_memo *memo);

#endif

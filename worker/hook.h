/* Running a service's hooks (hooks.h), each in a coroutine of its own (call.h). The memo says which
 * hooks run, and why one failed. */
#ifndef HUBBUB_WORKER_HOOK_H
#define HUBBUB_WORKER_HOOK_H

#include "worker/call.h"

/* Runs a hook, if the service has it, and waits for its end. A hook whose time is over does not
 * begin. Returns whether it has succeeded; if not, the text is in the memo, unless the hook was
 * killed. The hub's thread only. Switches: yes. */
bool hook_start(struct worker_thread *thread, enum memo_hook hook, struct call_limit limit);

/* The same, for a hook at the end, whose failure is only logged. */
void hook_stop(struct worker_thread *thread, enum memo_hook hook, struct call_limit limit);

/* The hub of a thread begins: makes the coroutine in which draining will run, and runs hub_start.
 * Returns whether it has succeeded. Switches: yes. */
bool hook_begin_hub(struct worker_thread *thread);

/* The hub has no more connections: ends the service's own coroutines, then runs hub_stop if the hub
 * has begun, until THREAD_STOP. Switches: yes. */
void hook_end_hub(struct worker_thread *thread);

#endif

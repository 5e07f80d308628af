/* <hubbub/hooks.h>: what a service does at the start and the end of its workers and hubs.
 *
 *	static const char *
 *	open_store(void *context)
 *	{
 *		struct store *store = context;
 *
 *		store->file = open(store->path, O_RDWR);
 *		return store->file != -1 ? NULL
 *			: hubbub_why("cannot open %s: %s", store->path, strerror(errno));
 *	}
 *
 *	.hooks = {.worker_start = open_store, .worker_stop = close_store}
 *
 * A worker is ready when its start hooks have returned:
 *
 *	worker_start --> hub_start in each hub, at the same time --> reloaded --> serves
 *
 * and ends like this, when its connections have ended or the drain's deadline has passed:
 *
 *	draining in each hub ... the last connection --> hub_stop in each hub --> worker_stop
 *
 * Each hook is a coroutine of its own, which may wait. Its blocking calls fail with ECANCELED when
 * it is to end: a start hook when its worker is to leave, draining when its hub ends its last
 * connections, a stop hook half a second after the deadline. A hook that still does not return
 * costs its worker: the master kills it.
 *
 * A start hook that fails, or has not returned when the time for a start is over (--hang-timeout),
 * ends its worker, and its text is logged. If the worker belongs to a generation that was to take
 * over, by a reload, a scale or an upgrade, the generation is dropped, and the former one goes on;
 * hubbub-ctl prints the text. At the server's first start the server ends. A worker that replaces a
 * dead one is started again, after a pause.
 *
 * A worker that is killed, crashes, or is stopped at once runs no more hooks. */
#ifndef HUBBUB_HOOKS_H
#define HUBBUB_HOOKS_H

#include <hubbub/api.h>

HUBBUB_API_BEGIN

/* A hook gets the service's context. Returns NULL if it has succeeded, or why it failed: a text
 * without a full stop, which is copied at once. An empty text is a failure, too: "it gives no
 * reason".
 * Switches: it may. */
typedef const char *hubbub_hook(void *context);

/* The hooks of a service; NULL for none. */
struct hubbub_hooks {
	/* In the worker's first hub, before the worker has any other thread, so it may write to the
	 * context: all hubs of this worker will see it. What it sets for its thread, such as a
	 * sandbox, all threads inherit. */
	hubbub_hook *worker_start;
	/* In each hub, after worker_start. Hubs share the context without a lock. */
	hubbub_hook *hub_start;
	/* In the first hub of a worker whose options were read by a reload or an upgrade, after
	 * hub_start has returned in all its hubs: the last to object before the worker serves. */
	hubbub_hook *reloaded;
	/* In each hub that is to accept no more, while its connections end (hubbub_is_draining).
	 * Its text is logged. */
	hubbub_hook *draining;
	/* In each hub whose hub_start has succeeded (or that has none), after its last connection.
	 * Its text is logged, as worker_stop's. */
	hubbub_hook *hub_stop;
	/* In the first hub, after the other hubs have ended, if worker_start has succeeded. */
	hubbub_hook *worker_stop;
	void *room[6]; /* for later versions: NULL */
};

/* Formats the text that a hook returns; a long text is cut.
 * Switches: no.  Ownership: the library's; valid until this thread's next call. */
const char *hubbub_why(const char *format, ...) __attribute__((format(printf, 1, 2)));

HUBBUB_API_END

#endif

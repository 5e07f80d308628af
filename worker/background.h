/* <hubbub/background.h>: what a service does besides answering clients.
 *
 *	static const char *
 *	compact(void *context)
 *	{
 *		while (hub_sleep(60 * HUB_SECOND) == 0)
 *			if (store_compact(context) != 0)
 *				return hubbub_why("cannot compact: %s", strerror(errno));
 *		return NULL;
 *	}
 *
 *	static const struct hubbub_background background[] = {
 *		{.name = "compact", .run = compact, .where = HUBBUB_ONE_OF_SERVER}, {0}};
 *
 * A background function begins when the start hooks of its worker have succeeded and the worker
 * accepts connections. It runs in a coroutine of its own, with the stack of every coroutine
 * (--stack-size); dumps of stacks show it by its name. A coroutine that keeps its hub without a
 * switch delays the hub's connections, as everywhere.
 *
 * When it is to end, its blocking calls fail with ECANCELED: in each hub and each worker after the
 * hub's last connection, before hub_stop; the one of the server as soon as its worker accepts no
 * more (hubbub_is_draining). If it has not returned when the drain's deadline is over, the master
 * kills the worker.
 *
 * If it returns NULL, it is done: it runs again only in another worker, such as that of a reload.
 * If it returns a text, which as a hook's is a failure even if it is empty, the text is logged, and
 * the function is called again after a pause of a second, which doubles with each failure up to
 * half a minute, and is a second again after a call that has lasted half a minute.
 *
 * The one of the server runs in one process of all its workers and generations, and never in two at
 * once, also in an upgrade, by names: two releases that give one name to it mean the same one. If
 * its worker dies, or leaves and the function has returned, another worker calls it within a
 * second. A worker that is stopped (SIGSTOP) or hangs keeps it until it goes on or is killed. What
 * the function has started, such as coroutines, threads and programs, must have ended when it
 * returns; programs outlive a worker that is killed. Another server is not excluded, nor the next
 * one after the death of the master, whose workers end by and by. */
#ifndef HUBBUB_BACKGROUND_H
#define HUBBUB_BACKGROUND_H

#include <hubbub/api.h>
#include <hubbub/hooks.h>

HUBBUB_API_BEGIN

/* Where a background function runs. */
enum hubbub_where {
	HUBBUB_EACH_HUB,     /* in each hub of each worker */
	HUBBUB_EACH_WORKER,  /* in the first hub of each worker */
	HUBBUB_ONE_OF_SERVER /* in the first hub of one worker at a time */
};

/* A background function: a row of the service's table. Use designated initialisers, because later
 * versions may add fields. */
struct hubbub_background {
	const char *name; /* 1 to 31 bytes without control characters; no other row has it */
	hubbub_hook *run;
	enum hubbub_where where;
	void *room[4]; /* for later versions: NULL */
};

HUBBUB_API_END

#endif

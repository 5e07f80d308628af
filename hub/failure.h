/* Failure: where a Python function raises, a coroutine's body returns hub_fail(...).
 *
 *	static void *fetch(void *name)
 *	{
 *		int fd = open(name, O_RDONLY);
 *		if (fd < 0)
 *			return hub_fail(errno, "cannot open %s", (char *)name);
 *		...
 *
 * hub_get reports the failure to the coroutine that joins. The failure of a coroutine that is
 * detached, or that was not joined when its hub ends, is reported once: by the hook `failed` (see
 * debug/hooks.h), or by a line on stderr. The failure of a critical coroutine ends the process. */
#ifndef HUBBUB_FAILURE_H
#define HUBBUB_FAILURE_H

#include <stdbool.h>

#include "record.h"

HUBBUB_API_BEGIN

#define HUB_FAILURE_TEXT_SIZE 120

/* Why a coroutine failed: a code and a sentence. */
struct hub_failure {
	int code; /* of errno.h, or the program's own; 0 means no failure */
	char text[HUB_FAILURE_TEXT_SIZE];
};

/* Makes the running coroutine's (or generator's) end a failure; a second call replaces code and
 * text, and may have the present text (hub_failure_of) among its arguments. A killed coroutine that
 * fails with ECANCELED has ended as it was asked to: that is no failure.
 * Switches: no.  Thread: a coroutine's; works without memory, too.  Returns NULL, for the body to
 * return. */
void *hub_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Joins the coroutine as hub_join does, and tells success from failure. failure may be NULL, as in
 * every call that fills one: then errno alone tells.
 * Switches: yes, unless the coroutine has ended already.
 * Returns 0 with the coroutine's result where result is not NULL, and failure->code 0; or -1 with
 * errno and failure->code the code with which the coroutine failed (it is joined and freed); or -1
 * with failure->code 0 and errno as hub_join (it must still be joined). */
int hub_get(struct hub_coroutine *coroutine, void **result, struct hub_failure *failure);

/* The failure of a coroutine, valid until it is joined; NULL while there is none.
 * Switches: no.  Errors: none. */
const struct hub_failure *hub_failure_of(const struct hub_coroutine *coroutine);

/* Whether the coroutine has ended without a failure. A killed coroutine has not failed, unless it
 * called hub_fail. Switches: no.  Errors: none. */
bool hub_has_succeeded(const struct hub_coroutine *coroutine);

/* Makes the coroutine critical: its failure ends the process by abort(3), after a line and a dump
 * of its hub on stderr, so that a supervisor starts a fresh process.
 * Switches: no.  Errors: none. */
void hub_set_critical(struct hub_coroutine *coroutine);

HUBBUB_API_END

#endif

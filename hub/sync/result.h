/* Result: one value, or one failure, that arrives once and is read by any number of coroutines of
 * one hub. A future. */
#ifndef HUBBUB_SYNC_RESULT_H
#define HUBBUB_SYNC_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "../failure.h"
#include "../link.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's. {0} is a result that has not arrived. */
struct hub_result {
	struct hub_waiter *first;
	void *value;
	struct hub_failure failure;
	bool is_set;
	struct hub_link link;
	struct hub_coroutine *coroutine; /* that it is linked to; NULL for none */
};

/* Makes result one that has not arrived. Switches: no. */
void hub_result_init(struct hub_result *result);

/* Sets the value and wakes all who wait, in the order in which they came.
 * Switches: no.  Ownership: its memory may go as soon as it has arrived, though some of those whom
 * this has woken have not run yet, or a coroutine that it was linked to has not ended.
 * Returns 0, or -1 with errno EALREADY (it has arrived before, and stays). */
int hub_result_set(struct hub_result *result, void *value);

/* As hub_result_set, with a failure instead of a value. Switches: no. */
int hub_result_fail(struct hub_result *result, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Makes result that of the coroutine, when it ends; of a killed one it is what its body returned.
 * The coroutine is still to be joined or detached. One that was linked to another coroutine is that
 * one's no more.
 * Switches: no.  Ownership: result is borrowed until it has arrived; who gives up waiting for it
 * sets it. */
void hub_result_link(struct hub_result *result, struct hub_coroutine *coroutine);

/* Waits for the result; a failure is copied where failure is not NULL.
 * Switches: yes, unless it has arrived.
 * Returns 0 with *value set (where value is not NULL), or -1 with errno: the failure's code, then
 * failure->code is that; or, with failure->code 0, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_result_get(struct hub_result *result, void **value, struct hub_failure *failure);

/* As hub_result_get, waiting for at most that many nanoseconds, with ETIMEDOUT then. Switches: as
 * hub_result_get. */
int hub_result_get_for(
	struct hub_result *result, void **value, struct hub_failure *failure, int64_t nanoseconds);

/* Whether it has arrived. Switches: no.  Errors: none. */
bool hub_result_is_set(const struct hub_result *result);

HUBBUB_API_END

#endif

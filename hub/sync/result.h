/* Result: a value or a failure that arrives once, and is read by any number of coroutines of one
 * hub; a future. */
#ifndef HUBBUB_SYNC_RESULT_H
#define HUBBUB_SYNC_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "../failure.h"
#include "../link.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's; {0} is a result that has not arrived. */
struct hub_result {
	struct hub_waiter *first; /* waiters; none once it has arrived */
	void *value;
	struct hub_failure failure;
	bool is_set;
	struct hub_link link;
	struct hub_coroutine *coroutine; /* that the result is linked to; NULL: none */
};

/* Initialises result as not arrived. Switches: no. */
void hub_result_init(struct hub_result *result);

/* Sets the value and wakes all waiters, in the order in which they came.
 * Switches: no.  Ownership: the result's memory may be freed as soon as the value has arrived,
 * though waiters have not run yet, or a coroutine that the result was linked to has not ended.
 * Returns 0, or -1 with errno EALREADY (a value or failure has arrived before, and stays). */
int hub_result_set(struct hub_result *result, void *value);

/* As hub_result_set, with a failure instead of a value; code is not 0. Switches: no. */
int hub_result_fail(struct hub_result *result, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Links result to the coroutine: when the coroutine ends, its result or failure arrives; for a
 * killed coroutine, what its body returned. The coroutine is still to be joined or detached. A
 * result can be linked to one coroutine: linking it to another undoes the first link.
 * Switches: no.  Ownership: result is borrowed until it has arrived; a caller that gives up waiting
 * sets it. */
void hub_result_link(struct hub_result *result, struct hub_coroutine *coroutine);

/* Waits until the result has arrived; copies a failure to *failure, if failure is not NULL.
 * Switches: yes, unless it has arrived.
 * Returns 0 with *value set (if value is not NULL), or -1 with errno: the failure's code, which is
 * also failure->code; or, with failure->code 0, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_result_get(struct hub_result *result, void **value, struct hub_failure *failure);

/* As hub_result_get, but waits for at most so many nanoseconds, then fails with ETIMEDOUT.
 * Switches: as hub_result_get. */
int hub_result_get_for(
	struct hub_result *result, void **value, struct hub_failure *failure, int64_t nanoseconds);

/* Whether the result has arrived. Switches: no.  Errors: none. */
bool hub_result_is_set(const struct hub_result *result);

HUBBUB_API_END

#endif

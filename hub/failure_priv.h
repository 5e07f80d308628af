#ifndef HUBBUB_FAILURE_PRIV_H
#define HUBBUB_FAILURE_PRIV_H

#include "hub/failure.h"

/* NULL is ignored. */
void failure_free(struct hub_failure *failure);

/* At a coroutine's end: decides whether it failed; if it is critical and did, ends the process. */
void failure_settle(struct hub_coroutine *ended);

/* Reports the failure, if any, of a coroutine that nobody will join. */
void failure_report(const struct hub_coroutine *ended);

#endif

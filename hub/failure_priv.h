#ifndef HUBBUB_FAILURE_PRIV_H
#define HUBBUB_FAILURE_PRIV_H

#include "hub/failure.h"

/* Where a failure goes, empty: into spare, if the caller gave no place for it. */
static inline struct hub_failure *
failure_place(struct hub_failure *failure, struct hub_failure *spare)
{
	if (failure == NULL)
		failure = spare;
	*failure = (struct hub_failure){0};
	return failure;
}

/* NULL is ignored. */
void failure_free(struct hub_failure *failure);

/* At a coroutine's end: decides whether it failed; if it is critical and did, ends the process. */
void failure_settle(struct hub_coroutine *ended);

/* Reports the failure, if any, of a coroutine that nobody will join. */
void failure_report(const struct hub_coroutine *ended);

#endif

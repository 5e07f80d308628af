/* How a coroutine's failure is stored, decided at its end, and reported (failure.h). */
#ifndef HUBBUB_FAILURE_PRIV_H
#define HUBBUB_FAILURE_PRIV_H

#include "hub/failure.h"

/* The place for a failure, emptied: the caller's, or spare if that is NULL. */
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

/* At a coroutine's end: decides whether it failed. Ends the process if a critical coroutine did. */
void failure_settle(struct hub_coroutine *ended);

/* Reports the failure, if any, of a coroutine that will not be joined. */
void failure_report(const struct hub_coroutine *ended);

#endif

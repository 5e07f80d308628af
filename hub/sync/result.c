/* A value is copied to every waiter when it arrives, since the memory of a result may go right
 * after that. A link to a coroutine makes that coroutine's end the arrival; the link is undone
 * first, so that the coroutine does not refer to freed memory. */
#include "hub/sync/result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/waiters_priv.h"

/* What a waiter receives: it lies on the waiter's stack. */
struct arrival {
	void *value;
	struct hub_failure failure;
};

void
hub_result_init(struct hub_result *result)
{
	*result = (struct hub_result){0};
}

static void
unlink_coroutine(struct hub_result *result)
{
	if (result->coroutine != NULL)
		hub_unlink(result->coroutine, &result->link);
	result->coroutine = NULL;
}

/* Makes the value arrive. The result's memory may go as soon as this returns: so the coroutine is
 * unlinked, and each waiter gets a copy. */
static int
arrive(struct hub_result *result, void *value)
{
	DCHECK(!result->is_set);
	unlink_coroutine(result);
	result->value = value;
	result->is_set = true;
	for (struct hub_waiter *each = result->first; each != NULL; each = each->next)
		if (each->item != NULL)
			*(struct arrival *)each->item = (struct arrival){value, result->failure};
	waiters_wake_all(&result->first, 0);
	return 0;
}

int
hub_result_set(struct hub_result *result, void *value)
{
	return result->is_set ? failed(EALREADY) : arrive(result, value);
}

int
hub_result_fail(struct hub_result *result, int code, const char *format, ...)
{
	va_list arguments;

	CHECK_WHY(code != 0, "hub_result_fail with code 0, which means success");
	if (result->is_set)
		return failed(EALREADY);
	result->failure.code = code;
	va_start(arguments, format);
	vsnprintf(result->failure.text, sizeof result->failure.text, format, arguments);
	va_end(arguments);
	return arrive(result, NULL);
}

static void
coroutine_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct hub_result *result = CONTAINER_OF(link, struct hub_result, link);

	DCHECK(result->coroutine == coroutine && link->previous == NULL);
	if (coroutine->failure != NULL)
		result->failure = *coroutine->failure;
	arrive(result, coroutine->result);
}

void
hub_result_link(struct hub_result *result, struct hub_coroutine *coroutine)
{
	unlink_coroutine(result);
	if (result->is_set)
		return;
	result->link.ended = coroutine_ended;
	result->coroutine = coroutine;
	hub_link(coroutine, &result->link);
}

int
hub_result_get(struct hub_result *result, void **value, struct hub_failure *failure)
{
	return hub_result_get_for(result, value, failure, HUB_FOREVER);
}

int
hub_result_get_for(
	struct hub_result *result, void **value, struct hub_failure *failure, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "result", .on = result, .deadline = HUB_FOREVER};
	struct arrival arrival;
	struct hub_waiter waiter = {.item = &arrival};

	if (failure != NULL)
		*failure = (struct hub_failure){0};
	if (self == NULL)
		return hub_fail_in_turn();
	if (!result->is_set)
		wait.deadline = clock_end_of(nanoseconds);
	if (result->is_set)
		arrival = (struct arrival){result->value, result->failure};
	else if (waiter_wait(&result->first, &waiter, self, &wait) != 0)
		return -1;
	if (failure != NULL)
		*failure = arrival.failure;
	if (value != NULL)
		*value = arrival.value;
	return failed(arrival.failure.code);
}

bool
hub_result_is_set(const struct hub_result *result)
{
	return result->is_set;
}

/* The cases of selects. hub_select stands here, around the real one (CMakeLists.txt names it
 * _hub_select_itself), so that what a coroutine waits for in a select is known: its cases, and how
 * many they are. */
#include "sim/invariants/cases_priv.h"

#include <string.h>

#include "hub/scheduler_priv.h"
#include "hub/select.h"
#include "sim/invariants/awaited_priv.h"

#define BUCKETS 256 /* a power of 2 */

/* A select, on its coroutine's stack. */
struct select {
	struct select *next; /* in its bucket; the innermost first */
	const struct hub_coroutine *coroutine;
	const struct hub_case *cases;
	size_t count;
};

static struct select *selects[BUCKETS];

static struct select **
bucket_of(const struct hub_coroutine *coroutine)
{
	return &selects[(uintptr_t)coroutine >> 12 & (BUCKETS - 1)];
}

void
cases_look(const struct hub_coroutine *coroutine)
{
	/* Descriptors are looked at by themselves; a coroutine that has ended may be gone. */
	static const char *const words[HUB_CASE_MAX] = {[HUB_CASE_CHANNEL_GET] = "channel get",
		[HUB_CASE_CHANNEL_PUT] = "channel put",
		[HUB_CASE_QUEUE_GET] = "queue get",
		[HUB_CASE_QUEUE_PUT] = "queue put",
		[HUB_CASE_EVENT] = "event",
		[HUB_CASE_RESULT] = "result",
		[HUB_CASE_SEMAPHORE] = "semaphore"};
	const struct select *select = *bucket_of(coroutine);

	if (strcmp(coroutine->waits_for, "select") != 0)
		return;
	while (select != NULL && select->coroutine != coroutine)
		select = select->next;
	for (size_t i = 0; select != NULL && i < select->count; i++)
		if (words[select->cases[i].kind] != NULL)
			awaited_look_at(
				coroutine, words[select->cases[i].kind], select->cases[i].object);
}

void
cases_forget(const struct hub *hub)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct select **link = &selects[i]; *link != NULL;)
			if ((*link)->coroutine->hub == hub)
				*link = (*link)->next;
			else
				link = &(*link)->next;
}

void
cases_end(void)
{
	memset(selects, 0, sizeof selects);
}

int _hub_select_itself(struct hub_case *cases, size_t count, int64_t nanoseconds);

int
hub_select(struct hub_case *cases, size_t count, int64_t nanoseconds)
{
	struct select select = {.coroutine = hub_current(), .cases = cases, .count = count};
	struct select **link = bucket_of(select.coroutine);
	int result;

	select.next = *link;
	*link = &select;
	result = _hub_select_itself(cases, count, nanoseconds);
	while (*link != &select)
		link = &(*link)->next;
	*link = select.next;
	return result;
}

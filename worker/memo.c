/* A page of its own for each worker: it outlives the process, and a stray write of one worker
 * leaves the others' alone. */
#include "worker/memo.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "hub/base/check.h"

const char *const memo_hook_names[MEMO_HOOK_MAX] = {
	[MEMO_WORKER_START] = "worker_start",
	[MEMO_HUB_START] = "hub_start",
	[MEMO_RELOADED] = "reloaded",
	[MEMO_DRAINING] = "draining",
	[MEMO_HUB_STOP] = "hub_stop",
	[MEMO_WORKER_STOP] = "worker_stop",
};

struct worker_memo *
memo_new(void)
{
	void *page = mmap(NULL, sizeof(struct worker_memo), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED ? page : NULL;
}

void
memo_free(struct worker_memo **memo)
{
	if (*memo != NULL)
		munmap(*memo, sizeof **memo);
	*memo = NULL;
}

void
memo_enter(struct worker_memo *memo, enum memo_hook hook)
{
	CHECK(hook < MEMO_HOOK_MAX);
	__atomic_fetch_add(&memo->running[hook], 1, __ATOMIC_RELAXED);
}

void
memo_leave(struct worker_memo *memo, enum memo_hook hook)
{
	uint32_t before = __atomic_fetch_sub(&memo->running[hook], 1, __ATOMIC_RELAXED);

	CHECK_WHY(before > 0, "a hook ends as often as it begins");
}

enum memo_hook
memo_running(const struct worker_memo *memo)
{
	enum memo_hook hook = 0;

	while (hook < MEMO_HOOK_MAX && __atomic_load_n(&memo->running[hook], __ATOMIC_RELAXED) == 0)
		hook++;
	return hook;
}

void
memo_fail(struct worker_memo *memo, const char *format, ...)
{
	va_list arguments;

	if (__atomic_fetch_add(&memo->failures, 1, __ATOMIC_RELAXED) != 0)
		return;
	va_start(arguments, format);
	vsnprintf(memo->why, sizeof memo->why, format, arguments);
	va_end(arguments);
	__atomic_store_n(&memo->is_written, 1, __ATOMIC_RELEASE);
}

const char *
memo_why(const struct worker_memo *memo)
{
	static char why[MEMO_WHY_SIZE];

	if (__atomic_load_n(&memo->is_written, __ATOMIC_ACQUIRE) == 0)
		return NULL;
	memcpy(why, memo->why, sizeof why - 1);
	return why;
}

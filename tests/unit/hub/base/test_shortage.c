/* A shortage is waited for, as long as there is hope; and libev, which asks again, survives one. */
#include "hub/base/shortage.h"

#include <errno.h>

#include "hub/base/loop.h"
#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/shortage.h"
#include "tests/support/trace.h"

Test(shortage, is_of_descriptors_or_memory)
{
	trace_whether("files", shortage_wait(EMFILE, "try"));
	trace_whether("all files", shortage_wait(ENFILE, "try"));
	trace_whether("memory", shortage_wait(ENOMEM, "try"));
	trace_whether("else", shortage_wait(EBADF, "try"));
	cr_assert_str_eq(trace_text(), "files, all files, memory, not else");
}

/* As after a report of a descriptor that libev has forgotten. */
static void *
forked_body(void *argument)
{
	ev_loop_fork(hub_this->loop);
	shortage_begin();
	trace_call("sleep", hub_sleep(HUB_MILLISECOND));
	shortage_end();
	trace_call("again", hub_sleep(HUB_MILLISECOND));
	return argument;
}

Test(shortage, is_survived_by_a_hub)
{
	in_hub(forked_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep 0, again 0");
}

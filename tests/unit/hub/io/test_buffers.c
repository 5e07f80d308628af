/* The hub's buffers: those that were given back are taken again, and freed when they are not
 * needed. */
#include "hub/io/buffers_priv.h"

#include <errno.h>

#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
again_body(void *argument)
{
	char *first = buffer_take(hub_this), *second = buffer_take(hub_this);

	buffer_give(hub_this, first);
	buffer_give(hub_this, second);
	trace_whether("the last", buffer_take(hub_this) == second);
	trace_whether("then the first", buffer_take(hub_this) == first);
	buffer_give(hub_this, first);
	buffer_give(hub_this, second);
	errno = ENOENT;
	buffer_give(hub_this, NULL);
	trace_error("errno", errno);
	return argument;
}

Test(buffers, that_were_given_back_last_are_taken_first)
{
	in_hub(again_body, NULL);
	cr_assert_str_eq(trace_text(), "the last, then the first, errno ENOENT");
}

/* Takes so many, and gives them back. */
static void
use(unsigned count)
{
	char *buffers[100];

	for (unsigned i = 0; i < count; i++)
		buffers[i] = buffer_take(hub_this);
	for (unsigned i = 0; i < count; i++)
		buffer_give(hub_this, buffers[i]);
}

static void *
trim_body(void *argument)
{
	use(100);
	trace_say("kept %u", hub_this->buffers.kept);
	buffers_trim(hub_this);
	use(10);
	buffers_trim(hub_this);
	trace_say("then %u", hub_this->buffers.kept);
	buffers_trim(hub_this);
	trace_say("and %u", hub_this->buffers.kept);
	return argument;
}

Test(buffers, that_are_not_needed_are_freed)
{
	in_hub(trim_body, NULL);
	cr_assert_str_eq(trace_text(), "kept 64, then 10, and 0");
}

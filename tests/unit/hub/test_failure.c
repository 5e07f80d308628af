/* Failures: who is told of one, once, in which words, and what one of the first coroutine means. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
fail(void *argument)
{
	return hub_fail(
		(int)(intptr_t)argument, "cannot do it: %s", strerror((int)(intptr_t)argument));
}

static void *
sleep_long(void *argument)
{
	if (hub_sleep(HUB_FOREVER) != 0)
		return hub_fail(errno, "woken");
	return argument;
}

static void *
get_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(fail, (void *)EIO);
	struct hub_failure failure;
	struct hub_timeout scope;

	trace_call("get of one that fails", hub_get(coroutine, NULL, &failure));
	trace_error("code", failure.code);
	trace_say("'%s'", failure.text);
	coroutine = hub_spawn(sleep_long, NULL);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("get in a scope", hub_get(coroutine, NULL, &failure));
	trace_whether("a failure", failure.code != 0);
	hub_timeout_stop(&scope);
	hub_kill(coroutine);
	trace_call("get of a killed one", hub_get(coroutine, NULL, &failure));
	trace_call("get of itself", hub_get(hub_current(), NULL, &failure));
	return argument;
}

Test(failure, get_tells_it_from_success_from_a_timeout_and_from_a_kill)
{
	in_hub(get_body, NULL);
	cr_assert_str_eq(trace_text(),
		"get of one that fails EIO, code EIO, 'cannot do it: Input/output error', "
		"get in a scope ETIMEDOUT, not a failure, get of a killed one 0, "
		"get of itself EDEADLK");
}

static void
say_failure(const struct hub_coroutine *coroutine, const struct hub_failure *failure, void *context)
{
	(void)coroutine, (void)context;
	trace_error("told of", failure->code);
}

static void *
detached_body(void *argument)
{
	(void)argument;
	hub_detach(hub_spawn(fail, (void *)EIO));
	hub_spawn(fail, (void *)EBUSY);
	hub_join(hub_spawn(fail, (void *)ENOENT), NULL);
	hub_sleep(0);
	return NULL;
}

Test(failure, of_the_detached_and_the_never_joined_is_reported_once)
{
	struct hub_hooks hooks = {.failed = say_failure};

	hub_set_hooks(&hooks);
	in_hub(detached_body, NULL);
	hub_set_hooks(NULL);
	cr_assert_str_eq(trace_text(), "told of EIO, told of EBUSY");
}

static void *
critical_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(fail, (void *)EIO);

	hub_set_critical(coroutine);
	hub_join(coroutine, NULL);
	return argument;
}

Test(failure, of_a_critical_one_ends_the_process, .signal = SIGABRT)
{
	in_hub(critical_body, NULL);
}

/* ---- a failure that tells of another ---- */

static void *
wrap(void *argument)
{
	hub_fail(ENOENT, "no file");
	hub_fail(EIO, "cannot start: %s", hub_failure_of(hub_current())->text);
	return hub_fail(EIO, "%s (%d)", hub_failure_of(hub_current())->text, *(int *)argument);
}

static void *
wrapping_body(void *argument)
{
	struct hub_failure failure = {0};
	int number = 7;

	hub_get(hub_spawn(wrap, &number), NULL, &failure);
	trace_say("'%s'", failure.text);
	hub_set_name(hub_current(), "a name of some length");
	hub_set_name(hub_current(), hub_name(hub_current()) + 2);
	trace_say("'%s'", hub_name(hub_current()));
	return argument;
}

Test(failure, may_tell_of_itself)
{
	in_hub(wrapping_body, NULL);
	cr_assert_str_eq(trace_text(), "'cannot start: no file (7)', 'name of some length'");
}

/* ---- the first coroutine's ---- */

static void *
failing_body(void *argument)
{
	hub_fail(EXDEV, "the first fails");
	return argument;
}

Test(failure, of_the_first_coroutine_is_hub_runs)
{
	void *result = "something";

	complaint_listen();
	errno = 0;
	cr_assert_eq(hub_run(failing_body, "", &result), -1);
	cr_assert_eq(errno, EXDEV);
	cr_assert_null(result);
	cr_assert_not_null(strstr(complaint_heard(), "the first fails"));
}

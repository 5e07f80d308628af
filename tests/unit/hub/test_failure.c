#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"

struct record {
	int errors[8];
	struct hub_failure failures[8];
	void *results[8];
	int count;
};

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
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(fail, (void *)EIO);
	struct hub_timeout scope;

	record->errors[0] =
		hub_get(coroutine, &record->results[0], &record->failures[0]) == -1 ? errno : 0;
	coroutine = hub_spawn(sleep_long, NULL);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	record->errors[1] = hub_get(coroutine, NULL, &record->failures[1]) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	hub_kill(coroutine);
	record->errors[2] = hub_get(coroutine, NULL, &record->failures[2]) == -1 ? errno : 0;
	record->errors[3] = hub_get(hub_current(), NULL, &record->failures[3]) == -1 ? errno : 0;
	return NULL;
}

Test(failure, get_tells_it_from_success_from_a_timeout_and_from_a_kill)
{
	struct record record = {0};

	in_hub(get_body, &record);
	cr_assert_eq(record.errors[0], EIO);
	cr_assert_eq(record.failures[0].code, EIO);
	cr_assert_str_eq(record.failures[0].text, "cannot do it: Input/output error");
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.failures[1].code, 0);
	cr_assert_eq(record.errors[2], 0, "a killed coroutine counts as failed");
	cr_assert_eq(record.errors[3], EDEADLK);
}

static void
count_failure(
	const struct hub_coroutine *coroutine, const struct hub_failure *failure, void *context)
{
	struct record *record = context;

	(void)coroutine;
	record->failures[record->count++] = *failure;
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
	struct record record = {0};
	struct hub_hooks hooks = {.failed = count_failure, .context = &record};

	hub_set_hooks(&hooks);
	in_hub(detached_body, &record);
	hub_set_hooks(NULL);
	cr_assert_eq(record.count, 2);
	cr_assert_eq(record.failures[0].code, EIO);
	cr_assert_eq(record.failures[1].code, EBUSY);
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
	int number = 7;

	hub_get(hub_spawn(wrap, &number), NULL, argument);
	hub_set_name(hub_current(), "a name of some length");
	hub_set_name(hub_current(), hub_name(hub_current()) + 2);
	memcpy(((struct hub_failure *)argument)[1].text, hub_name(hub_current()), 32);
	return NULL;
}

Test(failure, may_tell_of_itself)
{
	struct hub_failure failures[2] = {0};

	in_hub(wrapping_body, failures);
	cr_assert_str_eq(failures[0].text, "cannot start: no file (7)");
	cr_assert_str_eq(failures[1].text, "name of some length");
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

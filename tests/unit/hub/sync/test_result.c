#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	struct hub_result result;
	void *values[4];
	int errors[8];
	struct hub_failure failure;
	int readers;
};

static void *
read_it(void *argument)
{
	struct record *record = argument;

	hub_result_get(&record->result, &record->values[record->readers++], NULL);
	return NULL;
}

static void *
set_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *one = hub_spawn(read_it, record), *two = hub_spawn(read_it, record);

	hub_sleep(0);
	record->errors[0] = hub_result_set(&record->result, record);
	record->errors[1] = hub_result_set(&record->result, NULL) == -1 ? errno : 0;
	hub_join(one, NULL);
	hub_join(two, NULL);
	return NULL;
}

Test(result, arrives_once_and_is_read_by_all)
{
	struct record record = {0};

	in_hub(set_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], EALREADY);
	cr_assert_eq(record.values[0], &record);
	cr_assert_eq(record.values[1], &record);
}

static void *
fails(void *argument)
{
	(void)argument;
	return hub_fail(EIO, "broken");
}

static void *
link_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(fails, NULL);

	hub_result_link(&record->result, coroutine);
	record->errors[0] =
		hub_result_get(&record->result, NULL, &record->failure) == -1 ? errno : 0;
	hub_join(coroutine, NULL);
	hub_result_init(&record->result);
	hub_result_fail(&record->result, EPROTO, "line %d", 3);
	record->errors[1] = hub_result_get(&record->result, NULL, NULL) == -1 ? errno : 0;
	return NULL;
}

Test(result, is_a_coroutines_end_or_a_failure)
{
	struct record record = {0};

	in_hub(link_body, &record);
	cr_assert_eq(record.errors[0], EIO);
	cr_assert_str_eq(record.failure.text, "broken");
	cr_assert_eq(record.errors[1], EPROTO);
	cr_assert_str_eq(record.result.failure.text, "line 3");
}

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

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

/* ---- memory that goes as soon as the result has arrived: to touch it after that is fatal ---- */

static struct hub_result *
borrow(void)
{
	return mmap(NULL, sizeof(struct hub_result), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
take_back(struct hub_result *result)
{
	munmap(result, sizeof *result);
}

static void *
sleep_some(void *argument)
{
	hub_sleep(2 * HUB_MILLISECOND);
	return argument;
}

struct reader {
	struct hub_result *result;
	void *value;
	struct hub_failure failure;
	int error;
};

static void *
read_borrowed(void *argument)
{
	struct reader *reader = argument;

	reader->error =
		hub_result_get(reader->result, &reader->value, &reader->failure) == -1 ? errno : 0;
	return NULL;
}

/* How a result that is linked to a coroutine arrives before that has ended. */
enum arrival { BY_VALUE, BY_FAILURE, BY_ANOTHER, ARRIVALS };

static void *
end_at_once(void *argument)
{
	return argument;
}

static void
arrive_before(enum arrival arrival, struct record *record, struct reader *reader)
{
	struct hub_result *result = borrow();
	struct hub_coroutine *late = hub_spawn(sleep_some, NULL);
	struct hub_coroutine *early, *getter;

	reader->result = result;
	getter = hub_spawn(read_borrowed, reader);
	hub_result_link(result, late);
	hub_sleep(0);
	if (arrival == BY_VALUE) {
		hub_result_set(result, record);
	} else if (arrival == BY_FAILURE) {
		hub_result_fail(result, EPROTO, "no");
	} else {
		early = hub_spawn(end_at_once, record);
		hub_result_link(result, early);
		while (!hub_result_is_set(result))
			hub_sleep(0);
		hub_join(early, NULL);
	}
	/* Once it has arrived, linking is nothing. */
	hub_result_link(result, late);
	take_back(result);
	hub_join(getter, NULL);
	hub_join(late, NULL);
}

static struct reader readers[ARRIVALS];

static void *
borrowed_body(void *argument)
{
	for (int i = 0; i < ARRIVALS; i++)
		arrive_before((enum arrival)i, argument, &readers[i]);
	return NULL;
}

Test(result, its_memory_may_go_when_it_has_arrived)
{
	struct record record = {0};

	in_hub(borrowed_body, &record);
	cr_assert_eq(readers[BY_VALUE].error, 0);
	cr_assert_eq(readers[BY_VALUE].value, &record);
	cr_assert_eq(readers[BY_FAILURE].error, EPROTO);
	cr_assert_str_eq(readers[BY_FAILURE].failure.text, "no");
	cr_assert_eq(readers[BY_ANOTHER].error, 0);
	cr_assert_eq(readers[BY_ANOTHER].value, &record);
}

/* One that gives up waiting sets it, and lets its memory go. */
static void *
give_up_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *late = hub_spawn(sleep_some, NULL);
	struct hub_result *result = borrow();
	struct hub_timeout scope;

	hub_result_link(result, late);
	hub_timeout_start(&scope, HUB_MICROSECOND);
	record->errors[0] = hub_result_get(result, NULL, NULL) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	hub_result_set(result, NULL);
	take_back(result);
	hub_join(late, NULL);
	return NULL;
}

Test(result, who_gives_up_sets_it)
{
	struct record record = {0};

	in_hub(give_up_body, &record);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
}

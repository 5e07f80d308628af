#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"

static void *
give_back(void *argument)
{
	return argument;
}

static void *
sleep_for_ever(void *argument)
{
	int *error = argument;

	*error = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	return argument;
}

struct record {
	int results[8];
	int errors[8];
	void *pointers[8];
	int count;
	int order[16];
};

static void *
join_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(give_back, record);

	record->results[0] = hub_join(coroutine, &record->pointers[0]);
	return NULL;
}

Test(coroutine, join_gives_the_result)
{
	struct record record = {0};

	in_hub(join_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.pointers[0], &record);
}

static struct record *appending;

static void *
append(void *argument)
{
	int number = (int)(intptr_t)argument;

	appending->order[appending->count++] = number;
	hub_sleep(0);
	appending->order[appending->count++] = number;
	return NULL;
}

static void *
order_body(void *argument)
{
	appending = argument;
	for (intptr_t i = 1; i <= 3; i++)
		hub_detach(hub_spawn(append, (void *)i));
	appending->order[appending->count++] = 0;
	for (int i = 0; i < 4; i++)
		hub_sleep(0);
	return NULL;
}

Test(coroutine, spawn_does_not_switch_and_runs_first_in_first_out)
{
	static const int expected[] = {0, 1, 2, 3, 1, 2, 3};
	struct record record = {0};

	in_hub(order_body, &record);
	cr_assert_eq(record.count, 7);
	cr_assert_arr_eq(record.order, expected, sizeof expected);
}

static void *
kill_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(sleep_for_ever, &record->errors[0]);

	hub_sleep(0);
	record->results[0] = hub_kill(coroutine);
	record->results[1] = hub_join(coroutine, &record->pointers[0]);
	return NULL;
}

Test(coroutine, kill_ends_a_blocking_call_with_ecanceled)
{
	struct record record = {0};

	in_hub(kill_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.results[1], 0);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.pointers[0], &record.errors[0]);
}

static void *
kill_unstarted_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(give_back, record);

	record->pointers[0] = record;
	hub_kill(coroutine);
	record->results[0] = hub_join(coroutine, &record->pointers[0]);
	return NULL;
}

Test(coroutine, killed_before_its_first_run_never_runs)
{
	struct record record = {0};

	in_hub(kill_unstarted_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_null(record.pointers[0]);
}

static void *
fail_every_call(void *argument)
{
	struct record *record = argument;
	struct hub_event event = {0};

	hub_kill(hub_current());
	for (int i = 0; i < 2; i++)
		record->errors[i] = hub_sleep(0) == -1 ? errno : 0;
	record->errors[2] = hub_event_wait(&event) == -1 ? errno : 0;
	record->errors[3] = hub_recv(0, record, 1, 0) == -1 ? errno : 0;
	record->errors[4] = hub_wait_fd(0, 1) == -1 ? errno : 0;
	return NULL;
}

static void *
kill_self_body(void *argument)
{
	return (void *)(intptr_t)hub_join(hub_spawn(fail_every_call, argument), NULL);
}

Test(coroutine, a_kill_is_level_triggered)
{
	struct record record = {0};

	in_hub(kill_self_body, &record);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(record.errors[i], ECANCELED, "call %d: %d", i, record.errors[i]);
}

static void *
join_with_timeout_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(sleep_for_ever, &record->errors[0]);
	struct hub_timeout scope;

	hub_timeout_start(&scope, 5 * HUB_MILLISECOND);
	record->results[0] = hub_join(coroutine, NULL);
	record->errors[1] = errno;
	record->results[1] = hub_timeout_stop(&scope);
	hub_kill(coroutine);
	record->results[2] = hub_join(coroutine, NULL);
	return NULL;
}

Test(coroutine, join_in_an_expired_scope_fails_and_can_be_repeated)
{
	struct record record = {0};

	in_hub(join_with_timeout_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.results[1], true);
	cr_assert_eq(record.results[2], 0);
}

static void *
refusals_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(sleep_for_ever, &record->errors[7]);
	struct hub_coroutine *raw = hub_new(give_back);

	record->errors[0] = hub_join(hub_current(), NULL) == -1 ? errno : 0;
	record->errors[1] = hub_join(raw, NULL) == -1 ? errno : 0;
	record->errors[2] = hub_kill(raw) == -1 ? errno : 0;
	record->errors[3] = hub_detach(coroutine) == -1 ? errno : 0;
	record->errors[4] = hub_detach(coroutine) == -1 ? errno : 0;
	record->errors[5] = hub_join(coroutine, NULL) == -1 ? errno : 0;
	hub_free(raw);
	return NULL;
}

Test(coroutine, join_and_detach_refuse_what_cannot_be)
{
	static const int expected[] = {EDEADLK, EINVAL, EINVAL, 0, EINVAL, EINVAL};
	struct record record = {0};

	in_hub(refusals_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
}

static void *
names_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *self = hub_current();

	record->results[0] = strcmp(hub_name(self), "main");
	hub_set_name(self, "a name of more than thirty-one bytes is cut");
	record->results[1] = strcmp(hub_name(self), "a name of more than thirty-one ");
	return NULL;
}

Test(coroutine, names_are_copied_and_cut)
{
	struct record record = {{1, 1}, {0}, {0}, 0, {0}};

	in_hub(names_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.results[1], 0);
}

Test(coroutine, outside_a_hub_calls_fail_with_eperm)
{
	cr_assert_null(hub_current());
	cr_assert_null(hub_spawn(give_back, NULL));
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(hub_sleep(0), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_null(hub_mailbox());
	cr_assert_eq(errno, EPERM);
}

static void *
many_body(void *argument)
{
	struct record *record = argument;
	static struct hub_coroutine *coroutines[20000];
	static int errors[20000];

	for (int i = 0; i < record->results[0]; i++)
		coroutines[i] = hub_spawn(sleep_for_ever, &errors[i]);
	hub_sleep(0);
	for (int i = 0; i < record->results[0]; i++)
		hub_kill(coroutines[i]);
	for (int i = 0; i < record->results[0]; i++)
		record->count += hub_join(coroutines[i], NULL) == 0 && errors[i] == ECANCELED;
	return NULL;
}

Test(coroutine, twenty_thousand_are_parked_killed_and_joined, .timeout = 60)
{
	/* valgrind has room for so many mappings only. */
	struct record record = {.results = {on_valgrind() ? 2000 : 20000}};

	in_hub(many_body, &record);
	cr_assert_eq(record.count, record.results[0]);
}

/* One poll wakes a reader and two thieves, one of which runs before the reader in whatever order
 * that is: it takes the reader's data and kills it. The reader finds nothing, and must not wait
 * again. */
struct robbery {
	int pairs[3][2]; /* the reader's in the middle */
	int error;
	int robbed_in_time; /* the reader had not run yet */
	bool has_run;
	bool is_done;
	struct hub_coroutine *reader;
};

static struct robbery *robbery;

static void *
read_robbed(void *argument)
{
	char byte;

	robbery->error = hub_recv(robbery->pairs[1][0], &byte, 1, 0) == -1 ? errno : 0;
	robbery->has_run = true;
	return argument;
}

static void *
rob(void *argument)
{
	int *pair = robbery->pairs[(intptr_t)argument];
	char byte;

	if (hub_recv(pair[0], &byte, 1, 0) != 1 || robbery->is_done)
		return NULL;
	robbery->is_done = true;
	robbery->robbed_in_time =
		!robbery->has_run && hub_recv(robbery->pairs[1][0], &byte, 1, MSG_DONTWAIT) == 1;
	hub_kill(robbery->reader);
	return NULL;
}

static void *
robbery_body(void *argument)
{
	struct hub_coroutine *thieves[2];

	robbery = argument;
	for (int i = 0; i < 3; i++)
		socketpair(AF_UNIX, SOCK_STREAM, 0, robbery->pairs[i]);
	thieves[0] = hub_spawn(rob, (void *)0);
	robbery->reader = hub_spawn(read_robbed, NULL);
	thieves[1] = hub_spawn(rob, (void *)2);
	/* All wait in the loop, then all become ready before it is polled again. */
	until_it_waits(thieves[0]);
	until_it_waits(robbery->reader);
	until_it_waits(thieves[1]);
	for (int i = 0; i < 3; i++)
		send(robbery->pairs[i][1], "x", 1, 0);
	hub_join(robbery->reader, NULL);
	for (int i = 0; i < 2; i++)
		hub_join(thieves[i], NULL);
	for (int i = 0; i < 3; i++) {
		hub_close(robbery->pairs[i][0]);
		hub_close(robbery->pairs[i][1]);
	}
	return NULL;
}

Test(coroutine, a_kill_between_the_wake_and_the_run_is_not_lost, .timeout = 10)
{
	struct robbery record = {.error = -1};

	in_hub(robbery_body, &record);
	cr_assert(record.robbed_in_time, "no thief ran before the reader");
	cr_assert_eq(record.error, ECANCELED);
}

static void *
main_is_not_joinable_body(void *argument)
{
	struct record *record = argument;

	record->errors[0] = hub_detach(hub_current()) == -1 ? errno : 0;
	return record;
}

Test(coroutine, the_first_one_cannot_be_detached)
{
	struct record record = {0};

	in_hub(main_is_not_joinable_body, &record);
	cr_assert_eq(record.errors[0], EINVAL);
}

static void *
blocking_generator(void *argument)
{
	int *error = argument;

	*error = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	return NULL;
}

static void *
consume(void *argument)
{
	struct hub_generator *generator = hub_generator_new(blocking_generator, argument);
	void *value;

	hub_generator_next(generator, &value);
	hub_generator_free(generator);
	return NULL;
}

static void *
kill_consumer_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *consumer = hub_spawn(consume, &record->errors[0]);

	hub_sleep(0);
	hub_kill(consumer);
	record->results[0] = hub_join(consumer, NULL);
	/* And one that only the end of the hub kills. */
	hub_spawn(consume, &record->errors[1]);
	hub_sleep(0);
	return NULL;
}

Test(coroutine, a_kill_reaches_the_generator_that_blocks_for_its_consumer)
{
	struct record record = {0};

	in_hub(kill_consumer_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.errors[1], ECANCELED);
}

/* ---- later, catching, shields ---- */

struct later_record {
	int errors[8];
	int runs;
	int64_t elapsed;
	bool caught[3];
};

static void *
count_run(void *argument)
{
	struct later_record *record = argument;

	record->runs++;
	return NULL;
}

static void *
later_body(void *argument)
{
	struct later_record *record = argument;
	int64_t start = hub_now();
	struct hub_coroutine *soon = hub_spawn_later(5 * HUB_MILLISECOND, count_run, record);
	struct hub_coroutine *never = hub_spawn_later(60 * HUB_SECOND, count_run, record);
	struct hub_coroutine *now = hub_spawn_later(0, count_run, record);

	hub_join(soon, NULL);
	record->elapsed = hub_now() - start;
	hub_join(now, NULL);
	hub_kill(never);
	hub_join(never, NULL);
	return NULL;
}

Test(coroutine, spawn_later_waits_and_can_be_killed_before)
{
	struct later_record record = {0};

	in_hub(later_body, &record);
	cr_assert_eq(record.runs, 2);
	cr_assert_geq(record.elapsed, 5 * HUB_MILLISECOND);
}

static void *
catching(void *argument)
{
	struct later_record *record = argument;

	record->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->caught[0] = hub_catch_kill();
	record->caught[1] = hub_catch_kill();
	record->errors[1] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	record->errors[2] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	return NULL;
}

static void *
catch_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(catching, argument);

	hub_sleep(0);
	hub_kill(coroutine);
	hub_sleep(5 * HUB_MILLISECOND);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(coroutine, a_kill_can_be_caught_and_another_one_kills_again)
{
	struct later_record record = {0};

	in_hub(catch_body, &record);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert(record.caught[0]);
	cr_assert_not(record.caught[1]);
	cr_assert_eq(record.errors[1], 0);
	cr_assert_eq(record.errors[2], ECANCELED);
}

static void *
shielded(void *argument)
{
	struct later_record *record = argument;
	struct hub_timeout shield, inner;

	record->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	hub_shield_start(&shield);
	record->errors[1] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	hub_timeout_start(&inner, HUB_MILLISECOND);
	record->errors[2] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	hub_timeout_stop(&inner);
	record->errors[3] = hub_sleep(0) == -1 ? errno : 0;
	hub_shield_stop(&shield);
	record->errors[4] = hub_sleep(0) == -1 ? errno : 0;
	return NULL;
}

static void *
shield_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(shielded, argument);

	hub_sleep(0);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(coroutine, a_shield_lets_a_killed_one_block_until_it_is_stopped)
{
	static const int expected[] = {ECANCELED, 0, ETIMEDOUT, 0, ECANCELED};
	struct later_record record = {0};

	in_hub(shield_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
}

static void *
sleep_interrupted(void *argument)
{
	struct later_record *record = argument;

	record->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	record->errors[1] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	return NULL;
}

static void *
interrupt_body(void *argument)
{
	struct later_record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(sleep_interrupted, record);

	record->errors[2] = hub_interrupt(coroutine);
	hub_sleep(0);
	record->errors[3] = hub_interrupt(coroutine);
	record->errors[4] = hub_interrupt(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(coroutine, an_interrupt_ends_one_wait)
{
	static const int expected[] = {EINTR, 0, 0, 1, 0};
	struct later_record record = {0};

	in_hub(interrupt_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
}

/* ---- what one is, without joining it ---- */

static void *
fail_at_once(void *argument)
{
	(void)argument;
	return hub_fail(EIO, "it fails");
}

static int
states_of(const struct hub_coroutine *coroutine)
{
	return hub_has_started(coroutine) << 2 | hub_is_done(coroutine) << 1 |
	       hub_has_succeeded(coroutine);
}

static void *
states_body(void *argument)
{
	struct record *record = argument;
	int error;
	struct hub_coroutine *coroutines[] = {hub_spawn(give_back, NULL),
		hub_spawn(fail_at_once, NULL), hub_spawn(sleep_for_ever, &error),
		hub_spawn(give_back, NULL)};
	struct hub_failure failure;

	hub_kill(coroutines[3]);
	record->results[0] = states_of(coroutines[0]);
	hub_sleep(0);
	for (int i = 0; i < 4; i++)
		record->results[i + 1] = states_of(coroutines[i]);
	hub_kill(coroutines[2]);
	hub_sleep(0);
	record->results[5] = states_of(coroutines[2]);
	for (int i = 0; i < 4; i++)
		hub_get(coroutines[i], NULL, &failure);
	return NULL;
}

Test(coroutine, tells_whether_it_has_started_ended_and_succeeded)
{
	/* Bits: started, done, succeeded. */
	static const int expected[] = {0, 7, 6, 4, 7, 7};
	struct record record = {0};

	in_hub(states_body, &record);
	cr_assert_arr_eq(record.results, expected, sizeof expected);
}

static void *
tell_reason(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_kill_reason();
	record->errors[0] = hub_sleep(HUB_FOREVER) != 0 ? errno : 0;
	record->results[1] = hub_kill_reason();
	hub_catch_kill();
	record->results[2] = hub_kill_reason();
	record->errors[1] = hub_sleep(HUB_FOREVER) != 0 ? errno : 0;
	record->results[3] = hub_kill_reason();
	return NULL;
}

static void *
reason_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(tell_reason, argument);

	hub_sleep(0);
	hub_kill_for(coroutine, ENOSPC);
	hub_sleep(0);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(coroutine, is_killed_for_a_reason)
{
	struct record record = {.results = {1, 1, 1, 1}};

	in_hub(reason_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.results[1], ENOSPC);
	cr_assert_eq(record.results[2], ENOSPC);
	cr_assert_eq(record.errors[1], ECANCELED);
	cr_assert_eq(record.results[3], 0, "the last kill had none");
}

static void *
count_go(void *argument)
{
	++*(int *)argument;
	return argument;
}

static void *
go_body(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_go(count_go, &record->count);
	hub_sleep(0);
	return NULL;
}

Test(coroutine, may_be_spawned_and_forgotten)
{
	struct record record = {0};

	in_hub(go_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.count, 1);
	errno = 0;
	cr_assert_eq(hub_go(count_go, &record.count), -1);
	cr_assert_eq(errno, EPERM);
}

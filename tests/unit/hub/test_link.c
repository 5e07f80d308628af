#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	char text[64];
	int errors[8];
	size_t counts[8];
	struct hub_coroutine *coroutines[8];
	struct hub_coroutine *sorted[8];
};

struct note {
	struct hub_link link;
	struct record *record;
	char letter;
	struct note *unlinks;
};

static void
write_letter(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct note *note = (struct note *)(void *)link;
	char letter[2] = {note->letter, '\0'};

	strcat(note->record->text, letter);
	if (note->unlinks != NULL)
		hub_unlink(coroutine, &note->unlinks->link);
	note->record->errors[7] = hub_sleep(0) == -1 ? errno : 0;
}

static struct note
note_of(struct record *record, char letter)
{
	return (struct note){{.ended = write_letter}, record, letter, NULL};
}

static void *
nothing(void *argument)
{
	return argument;
}

static void *
links_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(nothing, NULL);
	struct note a = note_of(record, 'a'), b = note_of(record, 'b'), c = note_of(record, 'c'),
		    d = note_of(record, 'd'), late = note_of(record, 'e');

	hub_link(coroutine, &a.link);
	hub_link(coroutine, &b.link);
	hub_link(coroutine, &c.link);
	hub_link(coroutine, &d.link);
	hub_unlink(coroutine, &b.link);
	hub_unlink(coroutine, &b.link);
	/* The first one told takes back a later one. */
	a.unlinks = &c;
	hub_sleep(0);
	hub_link(coroutine, &late.link);
	hub_unlink(coroutine, &late.link);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(link, are_told_in_order_without_those_unlinked_and_late_ones_at_once)
{
	struct record record = {0};

	in_hub(links_body, &record);
	cr_assert_str_eq(record.text, "ade");
	cr_assert_eq(record.errors[7], EPERM, "a link may block: %d", record.errors[7]);
}

static void *
killed_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *coroutine = hub_spawn(nothing, NULL);
	struct note note = note_of(record, 'k');

	hub_link(coroutine, &note.link);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return NULL;
}

Test(link, is_told_of_one_killed_before_its_first_run)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_str_eq(record.text, "k");
}

static void *
sleep_ms(void *argument)
{
	hub_sleep((intptr_t)argument * HUB_MILLISECOND);
	return argument;
}

static void *
fail_soon(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	return hub_fail((int)(intptr_t)argument, "told to");
}

static void *
wait_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine **all = record->coroutines;
	struct hub_timeout scope;
	size_t ended;

	all[0] = hub_spawn(sleep_ms, (void *)300);
	all[1] = hub_spawn(sleep_ms, (void *)150);
	all[2] = hub_spawn(sleep_ms, (void *)1);
	all[3] = hub_spawn(sleep_ms, (void *)60000);
	memcpy(record->sorted, all, sizeof record->sorted);
	record->errors[0] = hub_wait_ended(record->sorted, 4, 1, 0, &record->counts[0]);
	/* Two more, however many have ended before. */
	record->errors[1] = hub_wait_ended(record->sorted, 4, 3, 0, &record->counts[1]);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	record->errors[2] =
		hub_wait_ended(record->sorted, 4, 0, 0, &record->counts[2]) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	record->errors[3] = hub_wait_ended(record->sorted, 0, 0, 0, &record->counts[3]);
	hub_kill_all(all, 4);
	record->errors[4] = hub_wait_ended(record->sorted, 4, 0, 0, &ended);
	for (int i = 0; i < 4; i++)
		hub_join(all[i], NULL);
	return NULL;
}

Test(link, waiting_for_some_gives_those_that_ended_in_the_order_of_their_ends)
{
	struct record record = {0};

	in_hub(wait_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_geq(record.counts[0], 1);
	cr_assert_eq(record.errors[1], 0);
	cr_assert_geq(record.counts[1], 3);
	cr_assert_eq(record.sorted[0], record.coroutines[2]);
	cr_assert_eq(record.sorted[1], record.coroutines[1]);
	cr_assert_eq(record.sorted[2], record.coroutines[0]);
	cr_assert_eq(record.sorted[3], record.coroutines[3]);
	cr_assert_eq(record.errors[2], ETIMEDOUT);
	cr_assert_eq(record.counts[2], 3, "a timeout loses who has ended");
	cr_assert_eq(record.counts[3], 0);
	cr_assert_eq(record.errors[4], 0);
}

static void *
failure_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *all[3] = {hub_spawn(sleep_ms, (void *)60000),
		hub_spawn(fail_soon, (void *)EIO), hub_spawn(fail_soon, (void *)EBUSY)};
	struct hub_failure failure;

	record->errors[0] = hub_wait_ended(all, 3, 0, HUB_WAIT_FIRST_FAILURE, &record->counts[0]);
	record->errors[1] = hub_failure_of(all[0])->code;
	hub_kill_all(all, 3);
	for (int i = 0; i < 3; i++)
		record->errors[2 + i] = hub_get(all[i], NULL, &failure) == -1 ? errno : 0;
	return NULL;
}

Test(link, waiting_may_end_with_the_first_failure)
{
	struct record record = {0};

	in_hub(failure_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_geq(record.counts[0], 1);
	cr_assert_eq(record.errors[1], EIO);
	cr_assert_eq(record.errors[2], EIO);
}

static void
detach_it(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct note *note = (struct note *)(void *)link;

	note->record->errors[0] = hub_detach(coroutine);
	/* This must not take the stack on which the callback runs. */
	hub_detach(hub_spawn(nothing, NULL));
}

static void *
detach_body(void *argument)
{
	struct record *record = argument;
	struct note note = {{.ended = detach_it}, record, 0, NULL};
	struct hub_coroutine *coroutine = hub_spawn(fail_soon, (void *)EIO);

	record->errors[0] = -1;
	hub_link(coroutine, &note.link);
	while (record->errors[0] == -1)
		hub_sleep(HUB_MILLISECOND);
	return NULL;
}

Test(link, may_detach_the_one_that_ends)
{
	struct record record = {0};

	in_hub(detach_body, &record);
	cr_assert_eq(record.errors[0], 0);
}

static void *
raw_link_body(void *argument)
{
	struct record *record = argument;
	struct note note = note_of(record, 'r');
	struct hub_coroutine *raw = hub_new(nothing);

	hub_link(raw, &note.link);
	hub_switch(raw, NULL);
	hub_free(raw);
	return NULL;
}

Test(link, is_told_of_a_raw_coroutine_too)
{
	struct record record = {0};

	in_hub(raw_link_body, &record);
	cr_assert_str_eq(record.text, "r");
}

/* ---- coroutines that are gone when the wait is over, and whose memory is another's ---- */

/* Runs right after it has ended: in its memory there is a new one then, that sleeps. */
static void *
spawn_after_end(void *argument)
{
	return hub_spawn(sleep_ms, (void *)60000) == argument ? argument : NULL;
}

static void *
gone_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *all[2] = {
		hub_spawn(sleep_ms, (void *)60000), hub_spawn(nothing, NULL)};
	struct hub_coroutine *spawner = hub_spawn(spawn_after_end, all[1]);
	struct hub_timeout scope;
	void *reused;

	hub_detach(all[1]);
	hub_timeout_start(&scope, 3 * HUB_MILLISECOND);
	record->errors[0] = hub_wait_ended(all, 2, 0, 0, &record->counts[0]) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	hub_join(spawner, &reused);
	record->counts[1] = reused != NULL;
	record->counts[2] = all[0] == reused;
	for (int i = 0; i < 2 && reused != NULL; i++) {
		hub_kill(all[i]);
		hub_join(all[i], NULL);
	}
	return NULL;
}

Test(link, waiting_counts_one_that_is_gone_and_not_its_successor)
{
	struct record record = {0};

	in_hub(gone_body, &record);
	cr_assert_eq(record.counts[1], 1, "the slot was not used again: this test tells nothing");
	cr_assert_eq(record.errors[0], ETIMEDOUT);
	cr_assert_eq(record.counts[0], 1);
	cr_assert_eq(record.counts[2], 1, "it does not stand first");
}

static void *
take_id(void *argument)
{
	*(uint64_t *)argument = hub_id(hub_current());
	return hub_current();
}

static void *
id_body(void *argument)
{
	struct record *record = argument;
	uint64_t ids[3];
	void *coroutines[3];

	for (int i = 0; i < 3; i++)
		hub_join(hub_spawn(take_id, &ids[i]), &coroutines[i]);
	record->counts[0] = coroutines[0] == coroutines[1] && coroutines[1] == coroutines[2];
	record->counts[1] = ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2];
	return NULL;
}

Test(link, no_two_coroutines_have_the_same_id)
{
	struct record record = {0};

	in_hub(id_body, &record);
	cr_assert_eq(record.counts[0], 1, "the slot was not used again: this test tells nothing");
	cr_assert_eq(record.counts[1], 1);
}

/* ---- no hub runs in a callback ---- */

static int run_error;

static void
run_a_hub(struct hub_link *link, struct hub_coroutine *coroutine)
{
	(void)link, (void)coroutine;
	run_error = hub_run(nothing, NULL, NULL) != 0 ? errno : 0;
}

Test(link, of_a_raw_coroutine_refuses_to_run_a_hub)
{
	struct hub_link link = {.ended = run_a_hub};
	struct hub_coroutine *raw = hub_new(nothing);

	hub_link(raw, &link);
	cr_assert_eq(hub_switch(raw, &link), &link);
	cr_assert_eq(run_error, EBUSY);
	hub_free(raw);
}

#include "master/say/history.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/support/complaint.h"

Test(history, there_is_none_before_the_first)
{
	cr_assert_null(history_newest(0));
	cr_assert_null(history_newest(HISTORY_KEPT));
}

Test(history, the_newest_comes_first)
{
	time_t began = time(NULL);
	const struct event_note *note;

	history_note(LOG_ERROR, "%d of %s", 1, "two");
	history_note(LOG_WARNING, "the second");
	note = history_newest(0);
	cr_assert_not_null(note);
	cr_assert_str_eq(note->text, "the second");
	cr_assert_eq(note->number, 2);
	cr_assert_eq(note->level, LOG_WARNING);
	cr_assert(note->time >= began && note->time <= time(NULL));
	note = history_newest(1);
	cr_assert_str_eq(note->text, "1 of two");
	cr_assert_eq(note->number, 1);
	cr_assert_eq(note->level, LOG_ERROR);
	cr_assert_null(history_newest(2));
}

Test(history, the_oldest_give_way_and_numbers_go_on)
{
	char text[16];

	log_setup("test", LOG_ERROR, LOG_TEXT);
	for (int i = 1; i <= 3 * HISTORY_KEPT + 5; i++)
		history_note(LOG_INFO, "%d", i);
	for (unsigned i = 0; i < HISTORY_KEPT; i++) {
		unsigned number = 3 * HISTORY_KEPT + 5 - i;

		snprintf(text, sizeof text, "%u", number);
		cr_assert_eq(history_newest(i)->number, number);
		cr_assert_str_eq(history_newest(i)->text, text);
	}
	cr_assert_null(history_newest(HISTORY_KEPT));
}

Test(history, a_long_one_is_cut_where_it_is_kept)
{
	char text[2 * HISTORY_TEXT_SIZE + 1];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	history_note(LOG_INFO, "%s", text);
	cr_assert_eq(strlen(history_newest(0)->text), HISTORY_TEXT_SIZE - 1);
}

/* And what is in it is no format. */
Test(history, it_is_logged_as_its_level_says_and_kept_anyway)
{
	const char *heard;

	log_setup("test", LOG_WARNING, LOG_TEXT);
	complaint_listen();
	history_note(LOG_INFO, "unheard of");
	history_note(LOG_WARNING, "%s", "100%s sure");
	heard = complaint_heard();
	cr_assert_null(strstr(heard, "unheard of"));
	cr_assert_not_null(strstr(heard, "100%s sure"), "%s", heard);
	cr_assert_str_eq(history_newest(1)->text, "unheard of");
}

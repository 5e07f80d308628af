#include "master/face/dump.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/master/quiet.h"

static struct quiet quiet;
static struct dump dump;
static unsigned overs;
static char text[512];
static size_t size;
static bool is_shortened; /* by a worker, before the text is read */

static void
on_over(struct dump *over, const char *lines, size_t length, const char *lost)
{
	cr_assert_eq(over, &dump);
	overs++;
	size = length;
	if (is_shortened)
		cr_assert_eq(ftruncate(dump.file, 0), 0);
	snprintf(text, sizeof text, "%.*s%s", (int)size, size > 0 ? lines : "",
		lost != NULL ? lost : "");
}

static void
begin(void)
{
	quiet_set(&quiet);
	dump_init(&dump, &quiet.master, on_over);
	overs = 0;
}

static void
end(void)
{
	dump_fini(&dump);
	quiet_clear(&quiet);
}

TestSuite(dump, .init = begin, .fini = end, .timeout = 60);

/* As if so many hubs had been asked. */
static void
dump_of(unsigned hubs)
{
	cr_assert_eq(dump_begin(&dump), 0);
	ev_timer_stop(quiet.master.loop, &dump.over);
	dump.expected = hubs;
}

Test(dump, without_a_hub_is_over_at_the_next_turn)
{
	cr_assert_eq(dump_begin(&dump), 0);
	cr_assert_eq(overs, 0);
	for (int turns = 0; turns < 3; turns++)
		ev_run(quiet.master.loop, EVRUN_NOWAIT);
	cr_assert_eq(overs, 1);
	cr_assert_str_eq(text, "");
	cr_assert_eq(dump.file, -1);
}

Test(dump, is_over_when_all_hubs_have_written_or_cannot)
{
	dump_of(2);
	cr_assert_eq(write(dump.file, "one\n", 4), 4);
	dump_done(&dump, dump.number);
	cr_assert_eq(overs, 0);
	dump_missed(&dump, dump.number, 1);
	cr_assert_eq(overs, 1);
	cr_assert_str_eq(text, "one\n1 of 2 hubs had no file descriptor left (raise the limit: "
			       "ulimit -n, LimitNOFILE=)");
}

Test(dump, is_shared_by_whoever_asks_meanwhile)
{
	int file;

	dump_of(1);
	file = dump.file;
	cr_assert_eq(dump_begin(&dump), 0);
	cr_assert_eq(dump.file, file);
	dump_done(&dump, dump.number);
	cr_assert_eq(overs, 1);
}

Test(dump, does_not_count_what_was_for_another)
{
	dump_of(1);
	dump_done(&dump, dump.number - 1);
	dump_missed(&dump, dump.number - 1, 1);
	cr_assert_eq(overs, 0);
	dump_done(&dump, dump.number);
	dump_done(&dump, dump.number);
	cr_assert_eq(overs, 1);
}

/* As a worker does that has lost its way. */
Test(dump, outlives_a_worker_that_answers_for_more_hubs_than_there_are)
{
	dump_of(3);
	dump_done(&dump, dump.number);
	dump_missed(&dump, dump.number, 7);
	cr_assert_eq(overs, 1);
	cr_assert_str_eq(text, "2 of 3 hubs had no file descriptor left (raise the limit: "
			       "ulimit -n, LimitNOFILE=)");
}

Test(dump, says_that_it_is_too_long)
{
	const char *lost;

	dump_of(1);
	cr_assert_eq(ftruncate(dump.file, DUMP_MOST + 1), 0);
	dump_done(&dump, dump.number);
	cr_assert_eq(overs, 1);
	cr_assert_eq(size, DUMP_MOST);
	lost = strstr(text, "the dump is too long: the rest of it is left out");
	cr_assert_not_null(lost, "%s", text);
}

/* The file is shortened while its text is told, and after its size was asked. */
Test(dump, outlives_a_worker_that_shortens_its_file)
{
	is_shortened = true;
	dump_of(1);
	cr_assert_eq(write(dump.file, "one\n", 4), 4);
	dump_done(&dump, dump.number);
	cr_assert_eq(overs, 1);
	cr_assert_str_eq(text, "one\n");
}

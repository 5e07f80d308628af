#include "master/change/reopen.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "master/change/reload.h"
#include "master/say/accesslog.h"
#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/unit/master/quiet.h"

static struct quiet quiet;
static char folder[FOLDER_SIZE], now[FOLDER_SIZE + 16], next[FOLDER_SIZE + 16];

static void
begin(void)
{
	quiet_set(&quiet);
	cr_assert(folder_make(folder));
	snprintf(now, sizeof now, "%s/now", folder);
	snprintf(next, sizeof next, "%s/next", folder);
	complaint_listen();
}

static void
end(void)
{
	complaint_heard();
	folder_remove(folder);
	quiet_clear(&quiet);
}

TestSuite(reopen, .init = begin, .fini = end);

/* The options have that file, which is gone since. */
static void
rotate(struct options *options, const char *path)
{
	options->access_log = path;
	options->worker.access_file = accesslog_open(path);
	cr_assert_eq(unlink(path), 0);
}

Test(reopen, without_a_file_there_is_nothing_to_open)
{
	cr_assert_not(reopen_access_log(&quiet.master));
	quiet.master.options.access_log = "on";
	cr_assert_not(reopen_access_log(&quiet.master));
}

Test(reopen, the_file_in_use_and_that_of_a_reload_are_opened_again)
{
	rotate(&quiet.master.options, now);
	rotate(&quiet.master.next, next);
	cr_assert(reopen_access_log(&quiet.master));
	cr_assert_eq(access(now, F_OK), 0);
	cr_assert_eq(access(next, F_OK), 0);
	cr_assert_eq(quiet.master.fleet.access_file, quiet.master.options.worker.access_file);
	close(quiet.master.next.worker.access_file);
	quiet.master.next.worker.access_file = 0;
}

/* The workers have none that they could write to another. */
Test(reopen, that_of_a_reload_alone_is_not_sent)
{
	rotate(&quiet.master.next, next);
	cr_assert_not(reopen_access_log(&quiet.master));
	cr_assert_eq(access(next, F_OK), 0);
	cr_assert_eq(quiet.master.fleet.access_file, 0);
	close(quiet.master.next.worker.access_file);
	quiet.master.next.worker.access_file = 0;
}

/* A worker that had not been reached would get what has taken the descriptor's place. */
Test(reopen, a_reload_that_has_none_closes_it_and_nothing_is_sent)
{
	struct options *next_options = &quiet.master.next;
	int file;

	rotate(&quiet.master.options, now);
	file = quiet.master.options.worker.access_file;
	cr_assert(reopen_access_log(&quiet.master));
	*next_options = quiet.master.options;
	next_options->access_log = "on";
	next_options->worker.access_file = 0;
	reload_finish(&quiet.master);
	cr_assert_eq(fcntl(file, F_GETFD), -1);
	cr_assert_eq(quiet.master.fleet.access_file, 0);
}

#include "hub/base/journal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The environment says that the journal is a file of such numbers, with that text behind them. */
static void
name_stream(unsigned long long device, unsigned long long inode, const char *rest)
{
	char text[96];

	snprintf(text, sizeof text, "%llu:%llu%s", device, inode, rest);
	setenv("JOURNAL_STREAM", text, 1);
	journal_read_environment();
}

Test(journal, is_the_stream_that_the_environment_names_and_no_other)
{
	int pair[2], other = open("/dev/null", O_WRONLY);
	struct stat status;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(fstat(pair[0], &status), 0);
	unsetenv("JOURNAL_STREAM");
	journal_read_environment();
	cr_assert_not(journal_is(pair[0]));
	name_stream(status.st_dev, status.st_ino, "");
	cr_assert(journal_is(pair[0]));
	cr_assert_not(journal_is(pair[1]), "the variable is inherited further than the stream");
	cr_assert_not(journal_is(other));
	name_stream(status.st_dev + 1, status.st_ino, "");
	cr_assert_not(journal_is(pair[0]), "an inode of another device");
	name_stream(status.st_dev, status.st_ino, " ");
	cr_assert_not(journal_is(pair[0]), "which is no number");
	close(pair[0]);
	close(pair[1]);
	close(other);
}

Test(journal, is_asked_of_the_descriptor_each_time)
{
	int pair[2], other = open("/dev/null", O_WRONLY);
	struct stat status;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(fstat(pair[0], &status), 0);
	name_stream(status.st_dev, status.st_ino, "");
	cr_assert(journal_is(pair[0]));
	dup2(other, pair[0]);
	cr_assert_not(journal_is(pair[0]));
	errno = EXDEV;
	close(pair[0]);
	cr_assert_not(journal_is(pair[0]));
	cr_assert_eq(errno, EXDEV);
	close(pair[1]);
	close(other);
}

Test(journal, of_a_variable_that_is_nonsense_there_is_none)
{
	static const char *const texts[] = {"", ":", "8:", ":1", "8", "x:y", "8:1:2", "8;1"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		setenv("JOURNAL_STREAM", texts[i], 1);
		journal_read_environment();
		for (int fd = 0; fd < 8; fd++)
			cr_assert_not(journal_is(fd), "%s", texts[i]);
	}
}

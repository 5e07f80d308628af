/* Lines for a file beside the log. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hub/base/log.h"

static struct log_entry entry = {.level = LOG_DEBUG, .message = "connection", .length = 10};
static char text[512];
static struct rlimit limit;

/* A file in which there is room for ten bytes. */
static int
make_small(void)
{
	char path[] = "/tmp/hubbub-beside-XXXXXX";
	int file = mkostemp(path, O_APPEND);

	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, limit.rlim_max});
	return file;
}

/* Half a line of a file beside the log is ended by the next one, which counts alone. */
Test(log_beside, a_file_counts_and_ends_half_a_line)
{
	int file = make_small();
	uint64_t lost = 0;

	log_count_lost(&lost);
	cr_assert_not(log_put_in(file, &entry));
	cr_assert_eq(errno, ENOSPC);
	cr_assert_not(log_put_in(file, &entry));
	cr_assert_eq(errno, EFBIG);
	cr_assert_eq(lost, 2);
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_assert(log_put_in(file, &entry));
	cr_assert(log_put_in(file, &entry));
	cr_assert_eq(lost, 2);
	cr_assert_gt(pread(file, text, sizeof text - 1, 0), 10);
	cr_assert_eq(strncmp(text + 10, "\n2", 2), 0, "%s", text);
	cr_assert_not_null(strstr(text + 11, ": connection\n2"));
	log_count_lost(NULL);
	close(file);
}

/* Half a line of another process, which had the last room, is ended, too. */
Test(log_beside, behind_a_loss_a_line_begins_on_its_own)
{
	int file = make_small();

	cr_assert_eq(write(file, "connection of another", 21), 10);
	cr_assert_not(log_put_in(file, &entry));
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_assert(log_put_in(file, &entry));
	cr_assert_gt(pread(file, text, sizeof text - 1, 0), 10);
	cr_assert_eq(strncmp(text + 10, "\n2", 2), 0, "%s", text);
	close(file);
}

#include "master/start/options_access.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "master/start/options.h"

static struct options options;
static char error[512];

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static const struct hubbub_service service = {
	.name = "test", .version = "1", .listen = "127.0.0.1:9090", .serve = serve};

/* Whether the option may have that value; NULL: it is not given. */
static bool
may_be(const char *value)
{
	char argument[128], *argv[] = {"test", argument, NULL};

	snprintf(argument, sizeof argument, "--access-log=%s", value != NULL ? value : "");
	options_free(&options);
	return options_read(&options, value != NULL ? 2 : 1, argv, &service, false, error,
		       sizeof error) == 0;
}

Test(options_access, is_off_or_goes_to_the_log)
{
	cr_assert(may_be(NULL));
	cr_assert_not(options.worker.has_access_log);
	cr_assert(may_be("off"));
	cr_assert_not(options.worker.has_access_log);
	cr_assert(may_be("on"));
	cr_assert(options.worker.has_access_log);
	cr_assert_eq(options.worker.access_file, 0);
	options_free(&options);
}

Test(options_access, goes_to_a_file_until_the_options_are_freed)
{
	char path[64];
	int file;

	snprintf(path, sizeof path, "/tmp/hubbub-options-access.%d", (int)getpid());
	cr_assert(may_be(path), "%s", error);
	file = options.worker.access_file;
	cr_assert(options.worker.has_access_log);
	cr_assert_gt(file, 2);
	cr_assert_eq(unlink(path), 0);
	options_free(&options);
	cr_assert_eq(fcntl(file, F_GETFD), -1);
	cr_assert_eq(options.worker.access_file, 0);
}

Test(options_access, of_a_file_that_cannot_be_opened_says_so)
{
	cr_assert_not(may_be("/no/such/folder"));
	cr_assert_str_eq(
		error, "--access-log: cannot open '/no/such/folder': No such file or directory");
	cr_assert_not(may_be("/"));
	cr_assert_str_eq(error, "--access-log: cannot open '/': Is a directory");
	cr_assert_not(may_be("yes"));
	cr_assert_str_eq(error,
		"--access-log: 'yes' is neither on, off, nor a path; write ./yes for a file");
	cr_assert_not(may_be(""));
}

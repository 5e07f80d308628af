#include "master/base/oversize.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/folder.h"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];

static void
begin(void)
{
	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/file", folder);
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(oversize, .init = begin, .fini = end, .timeout = 30);

/* In a child, whose limit is 10 bytes. Returns the errno of a write of 11 bytes after 10. */
static int
write_too_much(void)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 10});
	if (write(fd, "ten bytes.", 10) != 10)
		return 0;
	return write(fd, "and more", 8) == -1 ? errno : 0;
}

Test(oversize, a_write_that_is_too_much_fails)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		oversize_survive();
		_exit(write_too_much());
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	cr_assert_eq(WEXITSTATUS(status), EFBIG);
}

Test(oversize, a_program_that_is_started_has_the_default)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		oversize_survive();
		execl("/bin/sh", "sh", "-c", "kill -XFSZ $$; exit 3", (char *)NULL);
		_exit(4);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status), "exited with %d", WEXITSTATUS(status));
	cr_assert_eq(WTERMSIG(status), SIGXFSZ);
}

static void
handle(int number)
{
	(void)number;
}

Test(oversize, what_the_program_has_set_stays)
{
	struct sigaction action;

	signal(SIGXFSZ, handle);
	oversize_survive();
	sigaction(SIGXFSZ, NULL, &action);
	cr_assert_eq(action.sa_handler, handle);
}

Test(oversize, there_is_advice_for_this_limit_alone)
{
	cr_assert(strstr(oversize_advice(EFBIG), "ulimit -f") != NULL);
	cr_assert_str_eq(oversize_advice(ENOSPC), "");
}

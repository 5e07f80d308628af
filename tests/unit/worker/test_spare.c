#include "worker/spare.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

TestSuite(spare, .timeout = 30);

Test(spare, one_is_kept_and_given_free)
{
	int before = open_descriptors();

	cr_assert_not(spare_release());
	errno = EAGAIN;
	spare_keep();
	spare_keep();
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(open_descriptors(), before + 1);
	cr_assert(spare_release());
	cr_assert_not(spare_release());
	cr_assert_eq(open_descriptors(), before);
}

/* As a worker does, which closes what it inherits. Returns whether it leaves alone what has the
 * number by then. */
static bool
inherit(void)
{
	int fd;

	close_range(STDERR_FILENO + 1, ~0U, 0);
	spare_forget();
	fd = open("/dev/null", O_RDONLY);
	return !spare_release() && fcntl(fd, F_GETFD) != -1;
}

Test(spare, a_new_process_has_its_own)
{
	int status;
	pid_t child;

	spare_keep();
	child = fork();
	if (child == 0)
		_exit(inherit() ? 0 : 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

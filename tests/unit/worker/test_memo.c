#include "worker/memo.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

Test(memo, a_child_and_its_parent_share_it)
{
	struct worker_memo *memo = memo_new();
	pid_t child;

	cr_assert_not_null(memo);
	cr_assert_eq(memo->workers, 0);
	child = fork();
	if (child == 0) {
		memo->workers = 7;
		_exit(0);
	}
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_eq(memo->workers, 7);
	memo_free(&memo);
	cr_assert_null(memo);
	memo_free(&memo);
}

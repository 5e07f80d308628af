/* What the kernel tells of a thread's state, also if the thread's name is meant to mislead. */
#include "hub/base/task.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

Test(task, who_asks_is_runnable)
{
	prctl(PR_SET_NAME, ") S (a) S 1");
	cr_assert(task_is_runnable(TASK_OF_OURS, gettid()));
	cr_assert(task_is_runnable(getpid(), gettid()));
}

Test(task, who_is_stopped_is_not_and_who_is_gone_is_not)
{
	pid_t child = fork();

	cr_assert_neq(child, -1);
	if (child == 0) {
		prctl(PR_SET_NAME, ") R (a) R 1");
		for (;;)
			raise(SIGSTOP);
	}
	cr_assert_eq(waitid(P_PID, (id_t)child, &(siginfo_t){0}, WSTOPPED), 0);
	cr_assert_not(task_is_runnable(child, child));
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_not(task_is_runnable(child, child));
}

Test(task, a_file_is_cut_to_the_room_and_one_that_is_not_there_is_none)
{
	char text[4] = "???";

	cr_assert(task_read(TASK_OF_OURS, gettid(), "stat", text, sizeof text));
	cr_assert_eq(text[sizeof text - 1], '\0');
	cr_assert_not(task_read(TASK_OF_OURS, gettid(), "no-such-file", text, sizeof text));
	cr_assert_not(task_read(TASK_OF_OURS, 0, "stat", text, sizeof text));
}

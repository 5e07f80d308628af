/* Locks of other processes, since a process does not see its own. */
#include "worker/rights.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int file;

static void
begin(void)
{
	file = memfd_create("rights", MFD_CLOEXEC);
	cr_assert_neq(file, -1);
}

static void
end(void)
{
	close(file);
}

TestSuite(rights, .init = begin, .fini = end, .timeout = 60);

/* Starts a process that locks count bytes, and waits until it has. */
static pid_t
start_holder(off_t first, uint32_t count)
{
	int pair[2];
	pid_t pid;
	char byte = 0;

	cr_assert_eq(pipe(pair), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = rights_lock(file, F_WRLCK, first, count) ? 'y' : 'n';
		if (write(pair[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	cr_assert_eq(read(pair[0], &byte, 1), 1);
	cr_assert_eq(byte, 'y');
	close(pair[0]);
	close(pair[1]);
	return pid;
}

static void
end_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(rights, end_with_their_process)
{
	pid_t holder = start_holder(3, 2);

	cr_assert(rights_are_locked(file, 4, 4));
	cr_assert_not(rights_are_locked(file, 0, 3));
	cr_assert_not(rights_are_locked(file, 5, 4));
	cr_assert_not(rights_lock(file, F_WRLCK, 2, 2), "all of them or none");
	cr_assert_not(rights_are_locked(file, 2, 1));
	end_holder(holder);
	cr_assert_not(rights_are_locked(file, 0, 8));
	cr_assert(rights_lock(file, F_WRLCK, 2, 2));
	cr_assert(rights_lock(file, F_UNLCK, 2, 2));
}

Test(rights, a_file_that_cannot_tell_counts_as_locked)
{
	cr_assert(rights_are_locked(-1, 0, 1));
}

Test(rights, a_worker_is_orphaned_when_the_master_of_its_rows_is_dead)
{
	pid_t master = start_holder(COUNTERS_ROWS, 2), other = start_holder(COUNTERS_ROWS + 2, 2);
	pid_t worker = start_holder(0, 2), others = start_holder(2, 2);

	cr_assert_not(rights_are_orphaned(file, worker));
	end_holder(master);
	cr_assert(rights_are_orphaned(file, worker));
	cr_assert_not(rights_are_orphaned(file, others), "its master lives");
	cr_assert_not(rights_are_orphaned(file, getpid()), "it is no worker");
	end_holder(other);
	cr_assert(rights_are_orphaned(file, others));
	end_holder(worker);
	end_holder(others);
}

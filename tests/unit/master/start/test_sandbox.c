#include "master/start/sandbox.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/complaint.h"

TestSuite(sandbox, .timeout = 60);

/* From here on this process is refused that call. Returns whether it is. */
static bool
refuse(unsigned number, unsigned error)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* Runs it in a child, where it may refuse itself what it wants. */
static int
in_child(int (*body)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(body());
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

Test(sandbox, here_nothing_is_missing)
{
	complaint_listen();
	cr_assert_eq(sandbox_check(), 0);
	cr_assert_str_eq(complaint_heard(), "");
	cr_assert(sandbox_has_pidfds());
}

static int
miss_eventfd(void)
{
	const char *heard;

	if (!refuse(SYS_eventfd2, EPERM))
		return 77;
	complaint_listen();
	if (sandbox_check() != -1)
		return 1;
	heard = complaint_heard();
	return strstr(heard, "refuses eventfd2") != NULL && strchr(heard, '\n')[1] == '\0' ? 0 : 2;
}

Test(sandbox, one_line_names_what_is_needed)
{
	cr_assert_eq(in_child(miss_eventfd), 0);
}

static int
miss_pidfds(void)
{
	if (!refuse(SYS_pidfd_open, ENOSYS))
		return 77;
	complaint_listen();
	if (sandbox_check() != 0 || sandbox_has_pidfds())
		return 1;
	return strstr(complaint_heard(), "cannot be upgraded") != NULL ? 0 : 2;
}

Test(sandbox, what_there_is_another_way_for_is_a_warning)
{
	cr_assert_eq(in_child(miss_pidfds), 0);
}

/* Returns 0 if what is in the range is closed, and what is outside is not. */
static int
close_some(void)
{
	for (int fd = 100; fd < 400; fd++)
		if (dup2(STDERR_FILENO, fd) != fd)
			return 3;
	if (sandbox_close_range(101, 398) != 0)
		return 4;
	for (int fd = 101; fd < 399; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			return 5;
	return fcntl(100, F_GETFD) != -1 && fcntl(399, F_GETFD) != -1 ? 0 : 6;
}

static int
close_listed(void)
{
	return refuse(SYS_close_range, EPERM) ? close_some() : 77;
}

/* Without /proc, too. */
static int
close_each(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", "/proc", "tmpfs", 0, NULL) != 0)
		return 0;
	return close_listed();
}

Test(sandbox, descriptors_are_closed_also_without_close_range)
{
	cr_assert_eq(in_child(close_some), 0);
	cr_assert_eq(in_child(close_listed), 0);
	cr_assert_eq(in_child(close_each), 0);
}

/* Returns 0 if a child can be killed, and once it is dead nobody is. */
static int
kill_child(bool has_pidfd)
{
	int status;
	pid_t child = fork();
	int pidfd = has_pidfd ? pidfd_open(child, 0) : -1;

	if (child == 0)
		while (true)
			pause();
	if (sandbox_kill(child, pidfd, SIGKILL) != 0 || waitpid(child, &status, 0) != child)
		return 3;
	if (has_pidfd && (sandbox_kill(getpid(), pidfd, SIGKILL) != -1 || errno != ESRCH))
		return 4;
	return WIFSIGNALED(status) ? 0 : 5;
}

static int
kill_by_pidfd(void)
{
	return kill_child(true);
}

static int
kill_by_pid(void)
{
	return kill_child(false);
}

static int
kill_without_signals(void)
{
	return refuse(SYS_pidfd_send_signal, ENOSYS) ? kill_child(true) : 77;
}

Test(sandbox, a_process_is_killed_also_without_a_pidfd)
{
	cr_assert_eq(in_child(kill_by_pidfd), 0);
	cr_assert_eq(in_child(kill_by_pid), 0);
	cr_assert_eq(in_child(kill_without_signals), 0);
}

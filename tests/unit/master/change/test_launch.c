#include "master/change/launch.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the grandchild: exits with that code, dies by that signal, or waits. */
struct fate {
	int code;
	int signal;
	int pipe; /* written to before it waits; -1 to end at once */
};

static void
meet(void *context)
{
	const struct fate *fate = context;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fate->pipe != -1) {
		if (write(fate->pipe, "x", 1) == 1)
			while (pause() != 0)
				continue;
	}
	if (fate->signal != 0)
		raise(fate->signal);
	_exit(fate->code);
}

static pid_t
born(int leash, int *pidfd)
{
	struct pollfd wait = {.fd = leash, .events = POLLIN};

	cr_assert_eq(poll(&wait, 1, 10000), 1);
	return launch_born(leash, pidfd);
}

Test(launch, the_launcher_ends_as_the_grandchild_does, .timeout = 30)
{
	static struct fate fates[] = {{0, 0, -1}, {3, 0, -1}, {126, 0, -1}, {0, SIGKILL, -1},
		{0, SIGTERM, -1}, {0, SIGUSR1, -1}};

	for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++) {
		int leash, pidfd, status = 0;
		pid_t launcher = launch(meet, &fates[i], &leash);

		cr_assert_gt(launcher, 0);
		cr_assert_gt(born(leash, &pidfd), 0);
		cr_assert_eq(waitpid(launcher, &status, 0), launcher);
		if (fates[i].signal != 0)
			cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == fates[i].signal);
		else
			cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == fates[i].code);
		close(leash);
		close(pidfd);
	}
}

static pid_t
parent_of(pid_t pid)
{
	char path[64], text[256] = "";
	FILE *file;
	int parent = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	cr_assert_not_null(fgets(text, sizeof text, file));
	fclose(file);
	cr_assert_eq(sscanf(strrchr(text, ')'), ") %*c %d", &parent), 1);
	return parent;
}

/* A subreaper stands for the service manager. */
Test(launch, let_go_of_it_leaves_the_grandchild_to_who_reaps_orphans, .timeout = 30)
{
	int pair[2], leash, pidfd, status = 0;
	struct fate fate = {0};
	pid_t launcher, pid;
	char byte;

	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	cr_assert_eq(pipe(pair), 0);
	fate.pipe = pair[1];
	launcher = launch(meet, &fate, &leash);
	pid = born(leash, &pidfd);
	cr_assert_eq(read(pair[0], &byte, 1), 1);
	cr_assert_eq(parent_of(pid), launcher);
	/* What is sent to the whole process group is not meant for the launcher. */
	kill(launcher, SIGTERM);
	kill(launcher, SIGINT);
	cr_assert_eq(parent_of(pid), launcher);
	close(leash);
	cr_assert_eq(waitpid(launcher, &status, 0), launcher);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_assert_eq(parent_of(pid), getpid());
	cr_assert_eq(pidfd_send_signal(pidfd, SIGKILL, NULL, 0), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	close(pidfd);
}

/* Also of one that is not let go of: its death, too, leaves the grandchild alone. */
Test(launch, a_killed_launcher_takes_nobody_with_it, .timeout = 30)
{
	int pair[2], leash, pidfd, status = 0;
	struct fate fate = {0};
	pid_t launcher, pid;
	char byte;

	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	cr_assert_eq(pipe(pair), 0);
	fate.pipe = pair[1];
	launcher = launch(meet, &fate, &leash);
	pid = born(leash, &pidfd);
	cr_assert_eq(read(pair[0], &byte, 1), 1);
	kill(launcher, SIGKILL);
	cr_assert_eq(waitpid(launcher, &status, 0), launcher);
	cr_assert_eq(parent_of(pid), getpid());
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	close(leash);
	close(pidfd);
}

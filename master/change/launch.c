/* The launcher holds two file descriptors, the leash and the grandchild's pidfd, and waits for the
 * first of two ends: of the leash, after which it exits, or of the grandchild, after which it ends
 * the same way. */
#include "master/change/launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/start/sandbox.h"
#include "worker/channel.h"

/* Ends this process as the child has ended: by the same signal, without a core, or with its
 * code. */
static _Noreturn void
end_like(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status)) {
		sigset_t one;

		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(WTERMSIG(status), SIG_DFL);
		kill(getpid(), WTERMSIG(status));
		sigemptyset(&one);
		sigaddset(&one, WTERMSIG(status));
		sigprocmask(SIG_UNBLOCK, &one, NULL);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static _Noreturn void
stand_between(void (*become)(void *context), void *context, int leash)
{
	struct channel_message born = {0};
	struct pollfd fds[2] = {{.fd = leash, .events = POLLIN}, {.events = POLLIN}};
	pid_t pid = fork();

	if (pid == 0) {
		become(context);
		_exit(126);
	}
	fds[1].fd = pid > 0 ? pidfd_open(pid, 0) : -1;
	if (fds[1].fd == -1) {
		if (pid > 0)
			kill(pid, SIGKILL);
		_exit(1);
	}
	prctl(PR_SET_NAME, "hubbub-launcher");
	born.value = pid;
	/* Without its pid the old master could not watch the grandchild. */
	if (channel_send(leash, &born, fds[1].fd) != 0) {
		kill(pid, SIGKILL);
		_exit(1);
	}
	/* All others are closed: the grandchild's death must close the last copy of its fds. */
	if (dup2(leash, 0) != 0 || dup2(fds[1].fd, 1) != 1)
		_exit(1);
	sandbox_close_range(2, ~0U);
	fds[0].fd = 0;
	fds[1].fd = 1;
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		continue;
	if (fds[1].revents != 0)
		end_like(pid);
	_exit(0);
}

pid_t
launch(void (*become)(void *context), void *context, int *leash)
{
	sigset_t all, before;
	int pair[2], error;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	/* Blocked for good in the launcher: a signal to the whole process group must not end it
	 * before the grandchild. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		stand_between(become, context, pair[1]);
	}
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	if (pid == -1)
		close(pair[0]);
	else
		*leash = pair[0];
	errno = error;
	return pid;
}

pid_t
launch_born(int leash, int *pidfd)
{
	struct channel_message born;
	int result = channel_receive(leash, &born, pidfd);

	if (result != CHANNEL_MESSAGE)
		return result == CHANNEL_GONE ? -1 : 0;
	return (pid_t)born.value;
}

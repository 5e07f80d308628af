/* What a hub does when the kernel does not watch what it is to watch; what it asks for in vain. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/sandbox.h"

/* From here on this process cannot have a number watched; -1: none at all. */
static void
refuse_watch(int fd, int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | (fd == -1 ? BPF_JGE : BPF_JEQ) | BPF_K,
			fd == -1 ? 0 : (unsigned)fd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {6, filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

struct record {
	int refused, error;
	ssize_t got;
	uint64_t polls;
};

static void *
refused_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;
	int ends[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	hub_adopt(ends[0]);
	refuse_watch(ends[0], record->refused);
	hub_timeout_start(&scope, HUB_SECOND);
	record->got = hub_recv(ends[0], &byte, 1, 0);
	record->error = errno;
	hub_timeout_stop(&scope);
	hub_close(ends[0]);
	close(ends[1]);
	return NULL;
}

Test(libev, whoever_waits_for_what_is_not_watched_is_told)
{
	struct record record = {.refused = ENOSPC};

	in_hub(refused_body, &record);
	cr_assert_eq(record.got, -1);
	cr_assert_eq(record.error, ENOSPC, "%s", strerror(record.error));
}

/* libev took it for always ready, and the hub never slept. */
Test(libev, a_socket_that_may_not_be_watched_is_not_taken_for_ready)
{
	struct record record = {.refused = EPERM};

	in_hub(refused_body, &record);
	cr_assert_eq(record.got, -1);
	cr_assert_eq(record.error, EPERM, "%s", strerror(record.error));
}

static void *
wait_a_moment(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	return argument;
}

Test(libev, a_hub_that_cannot_be_woken_ends_with_a_line)
{
	char text[512] = "";
	int ends[2], status = 0;
	size_t length = 0;
	ssize_t got;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[1]);
		signal(SIGABRT, SIG_DFL);
		refuse_watch(-1, ENOMEM);
		hub_run(wait_a_moment, NULL, NULL);
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)got;
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_not_null(strstr(text, "would be deaf"), "%s", text);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ---- what is asked for in vain ---- */

static volatile sig_atomic_t changes;

static void *
leave(void *ends)
{
	hub_sleep(HUB_MILLISECOND);
	close(((int *)ends)[1]);
	return NULL;
}

static void *
left_body(void *argument)
{
	struct record *record = argument;
	int ends[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	hub_adopt(ends[0]);
	sandbox_count(SYS_epoll_ctl, 1, EPOLL_CTL_MOD, &changes);
	hub_detach(hub_spawn(leave, ends));
	record->got = hub_recv(ends[0], &byte, 1, 0);
	hub_close(ends[0]);
	return NULL;
}

/* libev asks to watch anew what it watches, whenever a peer has gone. */
Test(libev, the_end_of_a_peer_changes_no_watch, .timeout = 20)
{
	struct record record = {.got = -2};

	in_hub(left_body, &record);
	cr_assert_eq(record.got, 0);
	cr_assert_eq(changes, 0, "%d", (int)changes);
}

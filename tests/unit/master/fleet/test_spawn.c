#include "master/fleet/spawn.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/heritage.h"

static int counters_fd, listener, pair[2];
static struct worker_heritage heritage;

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

/* A heritage of one hub with one socket. */
static void
begin(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	heritage = (struct worker_heritage){.serve = serve,
		.threads = 1,
		.addresses = 1,
		.sockets = &listener,
		.channel = pair[1],
		.counters = counters_new(&counters_fd),
		.backlog = 1,
		.drain_timeout = 1000000};
	heritage.rows = counters_claim(heritage.counters, 0, 1, 1);
}

TestSuite(spawn, .init = begin, .timeout = 30);

/* How many descriptors of that process are the file that fd is. */
static int
count_same(pid_t pid, int fd)
{
	char path[300], own[128] = "", other[128];
	struct dirent *entry;
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	cr_assert_gt(readlink(path, own, sizeof own - 1), 0);
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	cr_assert_not_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, other, sizeof other - 1);

		other[length > 0 ? length : 0] = '\0';
		count += strcmp(own, other) == 0;
	}
	closedir(folder);
	return count;
}

/* A set of signals in the process's status in /proc. */
static unsigned long
signals_of(pid_t pid, const char *set)
{
	char path[64], line[256];
	unsigned long signals = 0;
	FILE *stream;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	stream = fopen(path, "r");
	cr_assert_not_null(stream);
	while (fgets(line, sizeof line, stream) != NULL)
		if (strncmp(line, set, strlen(set)) == 0)
			sscanf(line + strlen(set), ": %lx", &signals);
	fclose(stream);
	return signals;
}

static void
wait_ready(void)
{
	struct pollfd wait = {.fd = pair[0], .events = POLLIN};

	cr_assert_eq(poll(&wait, 1, 20000), 1, "the worker does not get ready");
}

/* It ends by itself when its master is gone, and the pidfd is its. */
static void
assert_leaves(pid_t pid, int pidfd)
{
	struct pollfd wait = {.fd = pidfd, .events = POLLIN};
	int status;

	close(pair[0]);
	cr_assert_eq(poll(&wait, 1, 20000), 1, "the worker does not leave");
	cr_assert_eq(waitpid(pid, &status, WNOHANG), pid);
	close(pidfd);
}

Test(spawn, a_worker_has_what_the_heritage_names_and_nothing_else)
{
	int pipes[2], high, pidfd = -1;
	pid_t pid;

	cr_assert_eq(pipe(pipes), 0);
	high = dup2(pipes[0], 200);
	pid = spawn_worker(&heritage, &pidfd);
	cr_assert_gt(pid, 0);
	wait_ready();
	cr_assert_eq(count_same(pid, listener), 1);
	cr_assert_eq(count_same(pid, pair[1]), 1);
	cr_assert_eq(count_same(pid, counters_fd), 1);
	cr_assert_eq(count_same(pid, pair[0]), 0, "the master's end would never seem closed");
	cr_assert_eq(count_same(pid, pipes[0]), 0);
	close(pipes[0]);
	close(pipes[1]);
	close(high);
	close(pair[1]);
	assert_leaves(pid, pidfd);
}

static void
on_signal(int number)
{
	(void)number;
}

Test(spawn, what_is_sent_to_the_whole_group_is_the_masters_affair)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE,
		SIGTTIN, SIGTTOU, SIGWINCH};
	unsigned long ignores, catches;
	int pidfd = -1;
	pid_t pid;

	signal(SIGHUP, on_signal);
	signal(SIGALRM, on_signal);
	pid = spawn_worker(&heritage, &pidfd);
	cr_assert_gt(pid, 0);
	wait_ready();
	ignores = signals_of(pid, "SigIgn");
	catches = signals_of(pid, "SigCgt");
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		cr_assert(ignores & 1UL << (ignored[i] - 1), "%s", strsignal(ignored[i]));
	cr_assert_not(catches & 1UL << (SIGALRM - 1), "the master's handler is left");
	cr_assert_eq(signals_of(pid, "SigBlk") & 1UL << (SIGCHLD - 1), 0, "all are blocked");
	close(pair[1]);
	assert_leaves(pid, pidfd);
}

/* The signals that this process blocks are what they were. */
static void
assert_unblocked(void)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	cr_assert_eq(sigismember(&now, SIGTERM), 0);
	cr_assert_eq(sigismember(&now, SIGUSR2), 1);
}

static void
block_one(void)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	sigprocmask(SIG_SETMASK, &one, NULL);
}

/* Nobody would see such a worker die. */
Test(spawn, without_a_file_for_its_pidfd_there_is_no_worker)
{
	struct rlimit limit = {0, 4096};
	int pidfd = -1, error;
	pid_t pid;

	block_one();
	limit.rlim_cur = (rlim_t)dup(STDERR_FILENO);
	close((int)limit.rlim_cur);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	pid = spawn_worker(&heritage, &pidfd);
	error = errno;
	limit.rlim_cur = 1024;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(pid, -1);
	cr_assert_eq(error, EMFILE);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "it is left");
	cr_assert_eq(errno, ECHILD);
	assert_unblocked();
}

Test(spawn, a_fork_that_is_refused_is_an_error)
{
	int pidfd = -1;

	if (geteuid() == 0)
		cr_assert_eq(setuid(65534), 0);
	block_one();
	cr_assert_eq(setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}), 0);
	cr_assert_eq(spawn_worker(&heritage, &pidfd), -1);
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(pidfd, -1);
	assert_unblocked();
}

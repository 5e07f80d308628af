#include "master/sockets/lock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

#define STRANGER 65534

static char name[64]; /* of this test's own */

static void
start(void)
{
	snprintf(name, sizeof name, "test/%d", (int)getpid());
}

TestSuite(lock, .init = start, .timeout = 30);

/* A process of that user that has what acts makes until it is killed. */
static pid_t
hold(uid_t user, bool (*act)(void))
{
	int ends[2];
	char word = 0;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		word = setuid(user) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && act() ? 'y'
											   : 'n';
		if (write(ends[1], &word, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ends[0], &word, 1), 1);
	close(ends[0]);
	close(ends[1]);
	cr_assert_eq(word, 'y');
	return child;
}

static void
end(pid_t child)
{
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, NULL, 0), child);
}

static int
bind_name(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length =
		snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-lock/%s", name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&address,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) ==
			       0
		       ? fd
		       : -1;
}

/* As a former release did. */
static bool
squat(void)
{
	int fd = bind_name();

	return fd != -1 && listen(fd, 16) == 0;
}

static bool
squat_silently(void)
{
	return bind_name() != -1;
}

/* Whoever asks finds no room to ask in. */
static bool
squat_full(void)
{
	int fd = bind_name(), error = 0;
	struct sockaddr_un address;
	socklen_t length = sizeof address;

	if (fd == -1 || listen(fd, 0) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		return false;
	while (error == 0) {
		int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		error = connect(client, (struct sockaddr *)&address, length) == 0 ? 0 : errno;
	}
	return error == EAGAIN;
}

static bool
lock(void)
{
	struct ucred other;

	return lock_take(name, &other) != -1;
}

Test(lock, is_one_processes_until_its_descriptor_is_closed)
{
	struct ucred other;
	int before = open_descriptors(), fd = lock_take(name, &other);

	cr_assert_neq(fd, -1);
	cr_assert_eq(other.pid, 0);
	cr_assert_eq(lock_take(name, &other), -1);
	cr_assert_eq(errno, EADDRINUSE);
	cr_assert_eq(other.pid, getpid());
	close(fd);
	fd = lock_take(name, &other);
	cr_assert_neq(fd, -1);
	close(fd);
	cr_assert_eq(open_descriptors(), before);
}

Test(lock, that_a_former_release_has_counts)
{
	struct ucred other;
	pid_t holder = hold(geteuid(), squat);

	cr_assert_eq(lock_take(name, &other), -1);
	cr_assert_eq(errno, EADDRINUSE);
	cr_assert_eq(other.pid, holder);
	end(holder);
}

Test(lock, of_a_stranger_does_not_count_and_still_there_is_one)
{
	static bool (*const ways[])(void) = {squat, squat_silently, squat_full};

	if (geteuid() != 0)
		cr_skip("needs root");
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct ucred other;
		int before = open_descriptors(), fd, third;
		pid_t stranger = hold(STRANGER, ways[i]);

		fd = lock_take(name, &other);
		cr_assert_neq(fd, -1, "%zu: %s", i, strerror(errno));
		if (ways[i] == squat) {
			cr_assert_eq(other.pid, stranger);
			cr_assert_eq(other.uid, STRANGER);
		}
		cr_assert_eq(lock_take(name, &other), -1, "%zu: this user has it", i);
		cr_assert_eq(errno, EADDRINUSE);
		cr_assert_eq(other.pid, getpid());
		end(stranger);
		cr_assert_eq(lock_take(name, &other), -1, "%zu: as it has without the stranger", i);
		cr_assert_eq(errno, EADDRINUSE);
		close(fd);
		third = lock_take(name, &other);
		cr_assert_neq(third, -1);
		close(third);
		cr_assert_eq(open_descriptors(), before);
	}
}

Test(lock, of_root_counts_for_everybody)
{
	pid_t child;
	int status;

	if (geteuid() != 0)
		cr_skip("needs root");
	cr_assert(lock());
	child = fork();
	if (child == 0)
		_exit(setuid(STRANGER) == 0 && !lock() && errno == EADDRINUSE ? 0 : 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

#define STARTERS 8

/* Starts when the gate is closed, says whether it has the lock, and keeps it until the end. */
static void
compete(int gate, int end, atomic_int *said)
{
	char byte;

	if (read(gate, &byte, 1) != 0)
		_exit(1);
	atomic_store(said, lock() ? 1 : 2);
	_exit(read(end, &byte, 1) == 0 ? 0 : 1);
}

/* Of many that start at once, under a stranger's eyes or not, at most one has it. */
Test(lock, of_many_at_once_no_two_have_it)
{
	atomic_int *said = mmap(NULL, STARTERS * sizeof *said, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int round = 0; round < 40; round++) {
		pid_t stranger = geteuid() == 0 && round % 2 == 0 ? hold(STRANGER, squat) : 0;
		int gate[2], end_pipe[2], have = 0;

		cr_assert(pipe(gate) == 0 && pipe(end_pipe) == 0);
		for (int i = 0; i < STARTERS; i++) {
			atomic_store(&said[i], 0);
			if (fork() != 0)
				continue;
			close(gate[1]);
			close(end_pipe[1]);
			compete(gate[0], end_pipe[0], &said[i]);
		}
		close(gate[0]);
		close(gate[1]);
		for (int i = 0; i < STARTERS; i++) {
			while (atomic_load(&said[i]) == 0)
				sched_yield();
			have += atomic_load(&said[i]) == 1;
		}
		close(end_pipe[0]);
		close(end_pipe[1]);
		for (int i = 0; i < STARTERS; i++)
			wait(NULL);
		cr_assert_leq(have, 1);
		if (stranger != 0)
			end(stranger);
	}
}

Test(lock, a_name_that_is_too_long_is_refused)
{
	char text[LOCK_NAME_SIZE + 1];
	struct ucred other;
	int fd;

	memset(text, 'x', sizeof text);
	text[LOCK_NAME_SIZE] = '\0';
	cr_assert_eq(lock_take(text, &other), -1);
	cr_assert_eq(errno, ENAMETOOLONG);
	snprintf(text, sizeof text, "%s", name);
	memset(text + strlen(text), 'y', sizeof text - strlen(text));
	text[LOCK_NAME_SIZE - 1] = '\0';
	fd = lock_take(text, &other);
	cr_assert_neq(fd, -1);
	cr_assert_eq(lock_take(text, &other), -1);
	close(fd);
}

/* System calls that strace(1) refuses, one at a time, to master and workers alike: at a start, and
 * during a reload, a scale or an upgrade. A start either serves, or ends with a reason and leaves
 * nothing behind; a change either succeeds or soon leaves everything as it was; and meanwhile every
 * client is answered.
 *
 * A normal run draws as many cases as there is time for (tests/support/draw.h). */
#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/draw.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

#define SAMPLE_TIME (50 * CLOCK_SECOND)
#define PATIENCE 60 /* seconds */
#define CASES_MAX 512

enum act { START, RELOAD, SCALE, UPGRADE, ACTS };

static const char *const acts[ACTS] = {"start", "reload", "scale", "upgrade"};

/* most: the first so many calls of each process are refused, each in a case of its own; 0 if the
 * act does not make the call, or only before main. Left out: accept4, and calls that every library
 * makes before main. Of epoll_ctl only the calls by which a process begins: later ones are for
 * clients, and a worker lets a client go that it cannot watch. */
static const struct refusal {
	const char *call;
	const char *error;
	unsigned most[ACTS];
} refusals[] = {
	{"clone", "EAGAIN", {2, 2, 2, 2}},
	{"clone", "ENOMEM", {1, 1, 1, 1}},
	{"clone3", "EAGAIN", {1, 2, 2, 1}},
	{"pidfd_open", "EMFILE", {2, 2, 2, 2}},
	{"socketpair", "EMFILE", {2, 2, 2, 2}},
	{"socketpair", "ENOBUFS", {1, 1, 1, 2}},
	{"socket", "EMFILE", {9, 2, 2, 1}},
	{"socket", "ENOBUFS", {3, 1, 2, 1}},
	{"bind", "EADDRINUSE", {9, 1, 2, 1}},
	{"bind", "ENOMEM", {3, 1, 2, 1}},
	{"listen", "EADDRINUSE", {9, 1, 2, 1}},
	{"setsockopt", "ENOMEM", {9, 2, 4, 1}},
	{"getsockopt", "ENOBUFS", {2, 2, 2, 1}},
	{"getsockname", "ENOBUFS", {6, 1, 2, 1}},
	{"sendmsg", "EAGAIN", {2, 2, 2, 2}},
	{"sendmsg", "ENOMEM", {2, 2, 2, 2}},
	{"recvmsg", "ENOMEM", {2, 2, 2, 2}},
	{"recvmsg", "EINTR", {1, 1, 1, 1}},
	{"epoll_create1", "EMFILE", {1, 1, 1, 1}},
	{"epoll_ctl", "ENOMEM", {3, 4, 4, 3}},
	{"epoll_ctl", "ENOSPC", {2, 2, 2, 2}},
	{"eventfd2", "EMFILE", {2, 2, 2, 1}},
	{"mprotect", "ENOMEM", {0, 3, 3, 0}},
	{"mmap", "ENOMEM", {0, 4, 4, 0}},
	{"madvise", "EINVAL", {2, 2, 2, 1}},
	{"madvise", "EAGAIN", {1, 1, 1, 1}},
	{"memfd_create", "EMFILE", {3, 1, 1, 2}},
	{"ftruncate", "ENOSPC", {3, 1, 1, 2}},
	{"fcntl", "EMFILE", {6, 2, 2, 2}},
	{"prctl", "EPERM", {1, 1, 1, 1}},
	{"timer_create", "EAGAIN", {1, 1, 1, 1}},
	{"timer_settime", "EINVAL", {1, 1, 1, 1}},
	{"sched_getaffinity", "EPERM", {1, 1, 1, 1}},
	{"prlimit64", "EPERM", {2, 1, 1, 1}},
	{"sigaltstack", "ENOMEM", {1, 1, 1, 1}},
	{"fstat", "ENOMEM", {0, 1, 1, 1}},
	{"newfstatat", "ENOMEM", {2, 1, 1, 1}},
	{"waitid", "ECHILD", {1, 2, 2, 2}},
	{"wait4", "ECHILD", {1, 1, 1, 1}},
	{"pidfd_send_signal", "EPERM", {0, 1, 1, 1}},
	{"execve", "ENOENT", {0, 0, 0, 1}},
	{"flock", "ENOLCK", {1, 0, 0, 0}},
	{"pwrite64", "ENOSPC", {1, 0, 0, 1}},
	{"unlink", "EACCES", {1, 0, 0, 1}},
};

enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

struct trial {
	const struct refusal *refusal;
	enum act act;
	unsigned number;
};

static struct trial trials[CASES_MAX];
static unsigned trial_count;
static struct server server;
static char name[96]; /* the case's, for messages */

/* ---- which cases ---- */

static void
list_trials(void)
{
	for (const struct refusal *each = refusals; each < refusals + REFUSALS; each++)
		for (enum act act = START; act < ACTS; act++)
			for (unsigned number = 1; number <= each->most[act]; number++) {
				cr_assert_lt(trial_count, CASES_MAX);
				trials[trial_count++] = (struct trial){each, act, number};
			}
}

static const char *
name_of(unsigned number)
{
	const struct trial *trial = &trials[number];

	snprintf(name, sizeof name, "%s: %s fails with %s the %u. time", acts[trial->act],
		trial->refusal->call, trial->refusal->error, trial->number);
	return name;
}

/* ---- strace ---- */

static void
write_injection(const struct trial *trial, char trace[static 64], char inject[static 96])
{
	snprintf(trace, 64, "trace=%s", trial->refusal->call);
	snprintf(inject, 96, "inject=%s:error=%s:when=%u", trial->refusal->call,
		trial->refusal->error, trial->number);
}

static bool
is_attached(void *pid)
{
	char path[64], line[256];
	int tracer = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)*(pid_t *)pid);
	file = fopen(path, "re");
	while (file != NULL && tracer == 0 && fgets(line, sizeof line, file) != NULL)
		sscanf(line, "TracerPid: %d", &tracer);
	if (file != NULL)
		fclose(file);
	return tracer != 0;
}

/* ---- what is asked of the server ---- */

static unsigned
count_files_left(const char *folder)
{
	DIR *directory = opendir(folder);
	unsigned count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		closedir(directory);
	return count - 2;
}

static bool
answers(int count)
{
	for (int i = 0; i < count; i++)
		if (!client_is_answered(client_connect(server.program.port), "refused", "REFUSED"))
			return false;
	return true;
}

/* Whether the server answers: at a start another worker may first have to replace one that died. */
static bool
serves(void *unused)
{
	(void)unused;
	return answers(1);
}

/* ---- at a start ---- */

static bool
has_begun_or_ended(void *unused)
{
	(void)unused;
	return program_expect(&server.program, ", pid ", 0.05) ||
	       program_is_gone(&server.program.pid);
}

static void
expect_served(void)
{
	const char *line = strstr(server.program.text, "ready: 127.0.0.1:");
	pid_t master;

	cr_assert_eq(sscanf(line, "ready: 127.0.0.1:%d", &server.program.port), 1);
	cr_assert_eq(sscanf(strstr(line, ", pid "), ", pid %d", &master), 1);
	cr_assert(wait_until(serves, NULL, PATIENCE), "%s: %s", name, server.program.text);
	cr_assert(answers(20), "%s: %s", name, server.program.text);
	kill(master, SIGTERM);
	cr_assert_eq(
		program_wait(&server.program, PATIENCE), 0, "%s: %s", name, server.program.text);
}

static void
try_start(const struct trial *trial)
{
	char folder[FOLDER_SIZE], trace[64], inject[96], control[160], pidfile[160], path[160];
	char *echo = strdup(program_path("hubbub-echo"));
	char *argv[] = {"/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", trace, "-e",
		inject, echo, "--listen=127.0.0.1:0", path, "--listen=udp:127.0.0.1:0", "-p2",
		"-t2", "--admin=127.0.0.1:0", "--drain-timeout=2", control, pidfile, NULL};
	int code;

	write_injection(trial, trace, inject);
	cr_assert(folder_make(folder));
	snprintf(control, sizeof control, "--control=%s/control", folder);
	snprintf(pidfile, sizeof pidfile, "--pidfile=%s/pid", folder);
	snprintf(path, sizeof path, "--listen=unix:%s/path", folder);
	cr_assert(program_start(&server.program, argv, 0));
	cr_assert(wait_until(has_begun_or_ended, NULL, PATIENCE), "%s: %s", name,
		server.program.text);
	if (strstr(server.program.text, ", pid ") != NULL) {
		expect_served();
	} else {
		code = program_wait(&server.program, PATIENCE);
		cr_assert_eq(code, 1, "%s: %d, %s", name, code, server.program.text);
		cr_assert_not_null(strstr(server.program.text, " error "), "%s: %s", name,
			server.program.text);
	}
	/* Where unlink is refused, files stay. */
	if (strcmp(trial->refusal->call, "unlink") != 0)
		cr_assert_eq(count_files_left(folder), 0, "%s: files are left", name);
	program_end(&server.program);
	folder_remove(folder);
	free(echo);
}

/* ---- in a change ---- */

struct before {
	int files;
	int children;
};

static bool
is_as_before(void *context)
{
	const struct before *before = context;
	pid_t children[16];

	return program_files(server.pid) == before->files &&
	       program_children(server.pid, children, 16) == before->children;
}

static void
change(const struct trial *trial, struct program *strace)
{
	static const char *const arguments[ACTS] = {[SCALE] = "4x2"};
	char trace[64], inject[96], pid[16];
	char *argv[] = {"/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-p", pid, "-e", trace,
		"-e", inject, NULL};
	struct before before;
	char output[2048];
	pid_t children[16], master = server.pid;
	int64_t began;
	bool is_well;
	int code;

	before.files = program_files(server.pid);
	before.children = program_children(server.pid, children, 16);
	write_injection(trial, trace, inject);
	snprintf(pid, sizeof pid, "%d", (int)server.pid);
	cr_assert(program_start(strace, argv, 0));
	cr_assert(wait_until(is_attached, &server.pid, PATIENCE), "%s", name);
	began = clock_now();
	code = server_ctl(&server, acts[trial->act], arguments[trial->act], output, sizeof output);
	cr_assert_lt(clock_now() - began, PATIENCE * CLOCK_SECOND, "%s: %s", name, output);
	is_well = answers(20);
	/* What the server says of it. */
	if (!is_well)
		program_expect(&server.program, "no such text", 0.5);
	cr_assert(is_well, "%s: %d, %s, %s", name, code, output, server.program.text);
	/* A strace that does not detach keeps dead processes from their parent. */
	if (program_stop(strace, SIGINT, PATIENCE) == -1)
		program_stop(strace, SIGKILL, PATIENCE);
	server.pid = (pid_t)server_number(&server, "pid");
	/* A worker that cannot be watched at once is watched a little later: none is taken for
	 * hung. */
	cr_assert_not(strcmp(trial->refusal->call, "epoll_ctl") == 0 &&
			      program_expect(&server.program, "killing it", 0.05),
		"%s: %s", name, server.program.text);
	if (code == 0)
		return;
	/* The change was refused, with a reason, and no client noticed. */
	cr_assert_not_null(strstr(output, "hubbub-ctl: "), "%s: %s", name, output);
	cr_assert_eq(server.pid, master, "%s", name);
	cr_assert(wait_until(is_as_before, &before, PATIENCE),
		"%s: %d files were %d, %d workers %d; %s", name, program_files(server.pid),
		before.files, program_children(server.pid, children, 16), before.children,
		server.program.text);
}

static void
try_change(const struct trial *trial)
{
	char path[160], pidfile[160], output[2048], folder[FOLDER_SIZE];
	struct program strace;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "--listen=unix:%s/path", folder);
	snprintf(pidfile, sizeof pidfile, "--pidfile=%s/pid", folder);
	cr_assert(
		server_start(&server, "hubbub-echo", "2", "2", path, pidfile,
			"--listen=udp:127.0.0.1:0", "--hang-timeout=10", "--drain-timeout=2", NULL),
		"%s", server.program.text);
	change(trial, &strace);
	program_end(&strace);
	/* Whatever became of the change, the next one succeeds. */
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 0, "%s: %s", name,
		output);
	cr_assert(answers(20), "%s", name);
	cr_assert_eq(server_end(&server, PATIENCE), 0, "%s", name);
	cr_assert_eq(count_files_left(folder), 0, "%s: files are left", name);
	server_clean(&server);
	folder_remove(folder);
}

/* ---- all of it ---- */

static void
end(void)
{
	server_clean(&server);
}

TestSuite(refused_calls, .fini = end, .timeout = 3600);

Test(refused_calls, end_with_a_reason_lose_nobody_and_leave_nothing)
{
	struct draw draw;
	int64_t until;
	unsigned walked = 0;

	if (program_is_sanitized())
		cr_skip("a sanitizer does not work under ptrace(2)");
	if (system("strace -qq -o /dev/null true 2>/dev/null") != 0)
		cr_skip("needs strace, and the right to trace");
	list_trials();
	draw = draw_cases(trial_count, 0, name_of);
	until = clock_now() + SAMPLE_TIME;
	for (; walked < draw.count && (draw.is_wanted || clock_now() < until); walked++) {
		const struct trial *trial = &trials[draw.cases[walked]];

		name_of(draw.cases[walked]);
		if (draw.is_wanted)
			printf("%s\n", name);
		fflush(stdout);
		if (trial->act == START)
			try_start(trial);
		else
			try_change(trial);
	}
	free(draw.cases);
	printf("refused_calls: walked %u of %u cases\n", walked, trial_count);
	fflush(stdout);
}

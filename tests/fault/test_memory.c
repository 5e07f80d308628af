/* A worker that the kernel kills for lack of memory in a control group: the log names the reason,
 * and the worker is replaced. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/server.h"

#define ROOM (256L << 20) /* more than a server of two workers uses, sanitized or not */
#define PAGE 4096

/* The versions of control groups: where they are mounted, and how their files are called. */
static const struct version {
	bool is_v2;
	const char *folder, *limit, *events;
} versions[] = {
	{false, "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"},
	{true, "/sys/fs/cgroup", "memory.max", "memory.events"},
};

static const struct version *version;
static char group[64];
static struct server server;
static pid_t eater;

/* Returns whether the file was written. */
static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		close(fd);
	return is_written;
}

static bool
set(const char *file, long value)
{
	char path[128], text[32];

	snprintf(path, sizeof path, "%s/%s", group, file);
	snprintf(text, sizeof text, "%ld", value);
	return write_file(path, text);
}

static bool
is_removed(void *unused)
{
	(void)unused;
	return rmdir(group) == 0;
}

static void
end(void)
{
	if (eater > 0) {
		kill(eater, SIGKILL);
		waitpid(eater, NULL, 0);
	}
	server_clean(&server);
	if (group[0] != '\0')
		wait_until(is_removed, NULL, 10);
}

TestSuite(memory, .fini = end, .timeout = 600);

/* Makes the kernel choose this process first, whatever others use. */
static bool
choose(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
	return write_file(path, "1000");
}

static int
open_events(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", group, version->events);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* How many processes of the group the kernel has killed. */
static long
count_killed(int events)
{
	static const char word[] = "oom_kill ";
	char text[256];
	ssize_t length = pread(events, text, sizeof text - 1, 0);
	const char *found;

	text[length > 0 ? length : 0] = '\0';
	found = strstr(text, word);
	return found != NULL ? atol(found + strlen(word)) : 0;
}

/* Runs in a child that is in the group: takes the group's memory until the kernel has killed one of
 * its processes, and not a page more, since the kernel would then choose another. */
static _Noreturn void
eat(void)
{
	char *memory =
		mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int events = open_events();

	if (memory == MAP_FAILED || events == -1 || !set("cgroup.procs", getpid()))
		_exit(1);
	for (long i = 0; i < 2 * ROOM && count_killed(events) == 0; i += PAGE)
		memory[i] = 1;
	_exit(0);
}

/* Returns whether there is a group with the limit. */
static bool
make_group(void)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		version = &versions[i];
		snprintf(group, sizeof group, "%s/hubbub-test-%d", version->folder, (int)getpid());
		if (mkdir(group, 0755) == 0) {
			/* Without swap: swapping would only make the test slower. */
			set("memory.swap.max", 0);
			if (set(version->limit, ROOM))
				return true;
			rmdir(group);
		}
	}
	group[0] = '\0';
	return false;
}

/* In version 2, the group of this process, since the groups above it may not hold processes; in
 * version 1, the root. */
static void
find_home(char procs[256])
{
	FILE *stream = fopen("/proc/self/cgroup", "re");
	char line[200] = "", *path = line;

	while (stream != NULL && version->is_v2 && fgets(line, sizeof line, stream) != NULL)
		if (strncmp(line, "0::", 3) == 0)
			break;
	if (stream != NULL)
		fclose(stream);
	path += strncmp(line, "0::", 3) == 0 ? 3 : strlen(line);
	path[strcspn(path, "\n")] = '\0';
	snprintf(procs, 256, "%s%s/cgroup.procs", version->folder, path);
}

/* The test is in the group while it starts the server. */
static void
start_in_group(void)
{
	char procs[256];

	find_home(procs);
	cr_assert(set("cgroup.procs", getpid()));
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL), "%s", server.program.text);
	cr_assert(write_file(procs, "0"));
}

Test(memory, the_kernel_that_kills_for_lack_of_it_is_named)
{
	char limit[160];
	int status, events;
	long killed;
	pid_t worker;

	if (!make_group())
		cr_skip("needs a control group for memory, and root");
	snprintf(limit, sizeof limit,
		"probably by the kernel for lack of memory (the memory limit is 256 MiB, of %s)",
		group);
	start_in_group();
	worker = server_worker(&server, 1);
	cr_assert(choose(worker));
	eater = fork();
	if (eater == 0)
		eat();
	cr_assert(program_expect(&server.program, "killed by signal 9", 30), "%s",
		server.program.text);
	cr_assert(program_expect(&server.program, limit, 5), "%s", server.program.text);
	cr_assert_eq(waitpid(eater, &status, 0), eater);
	eater = 0;
	cr_assert(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	/* A kill by another process is a different reason. The master reads the counter once a
	 * second. */
	poll(NULL, 0, 5000);
	/* While the child's memory is not back yet, the kernel may choose another: the child, the
	 * other worker, or the master. */
	events = open_events();
	killed = count_killed(events);
	close(events);
	if (killed > 1)
		cr_skip("the kernel killed two, and who looks cannot tell whom");
	program_forget(&server.program);
	server_signal_worker(&server, 0, SIGKILL);
	cr_assert(program_expect(&server.program, "killed by signal 9", 30));
	cr_assert(program_expect(&server.program, "\n", 5));
	cr_assert_null(strstr(server.program.text, "lack of memory"), "%s", server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
}

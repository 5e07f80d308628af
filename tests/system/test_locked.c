/* What an echo does to the caches of other hubs: nothing. Each hub is stepped through one echo, and
 * each of its instructions is looked at. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

#define HUBS 2
#define ROUNDS 5
#define CLIENTS_MOST 100
#define STEPS_MOST 200000
#define CACHE_LINE 64
#define SEGMENT_MOST (4 << 20)

static struct server server;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(locked, .fini = end, .timeout = 300);

#ifdef __x86_64__

/* ---- instructions ---- */

static bool
is_prefix(unsigned char byte)
{
	static const unsigned char prefixes[] = {
		0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3};

	return memchr(prefixes, byte, sizeof prefixes) != NULL || (byte & 0xf0) == 0x40;
}

/* Whether it locks a cache line: by its prefix, or as xchg with memory does. */
static bool
locks(const unsigned char *code)
{
	while (is_prefix(*code))
		code++;
	return *code == 0xf0 || ((*code == 0x86 || *code == 0x87) && code[1] < 0xc0);
}

static bool
is_call_of_kernel(const unsigned char *code)
{
	return code[0] == 0x0f && code[1] == 0x05;
}

/* ---- a process ---- */

/* Where a process has an object in its memory, the first that the name is part of. */
struct range {
	uintptr_t from, to;
};

static struct range
find_range(pid_t process, const char *name)
{
	struct range range = {0};
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)process);
	maps = fopen(path, "r");
	while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		uintptr_t from, to;

		if (strstr(line, name) == NULL || sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		range.from = range.from == 0 ? from : range.from;
		range.to = to;
	}
	if (maps != NULL)
		fclose(maps);
	return range;
}

static size_t
read_memory(pid_t process, uintptr_t from, void *to, size_t size)
{
	struct iovec here = {to, size}, there = {NULL, size};
	ssize_t count;

	there.iov_base = (void *)from;
	count = process_vm_readv(process, &here, 1, &there, 1, 0);
	return count > 0 ? (size_t)count : 0;
}

/* ---- an echo ---- */

static struct {
	pid_t worker, threads[HUBS];
	int clients[HUBS]; /* a connection that the hub serves */
	struct range libc, segment;
	unsigned locked[HUBS]; /* instructions that lock, but libc's; of the best of all echoes */
	unsigned char before[SEGMENT_MOST], after[SEGMENT_MOST];
	unsigned char written[SEGMENT_MOST / CACHE_LINE]; /* by which hub, from 1 */
} scene;

/* Steps the hub until it has sent something, and is about to wait again. Returns how many of its
 * instructions have locked a line. libc locks some of the thread's own, in calls that can be
 * cancelled, of which epoll_wait is one. */
static unsigned
step_through(unsigned hub)
{
	bool has_sent = false;
	unsigned steps, locked = 0;

	for (steps = 0; steps < STEPS_MOST; steps++) {
		struct user_regs_struct registers;
		unsigned char code[16] = {0};
		int status;

		if (ptrace(PTRACE_GETREGS, scene.threads[hub], NULL, &registers) != 0)
			break;
		read_memory(scene.worker, registers.rip, code, sizeof code);
		if (is_call_of_kernel(code)) {
			if (has_sent && registers.rax == SYS_epoll_wait)
				break;
			has_sent |= registers.rax == SYS_sendto;
		}
		if (locks(code) &&
			(registers.rip < scene.libc.from || registers.rip >= scene.libc.to))
			locked++;
		if (ptrace(PTRACE_SINGLESTEP, scene.threads[hub], NULL, NULL) != 0 ||
			waitpid(scene.threads[hub], &status, __WALL) == -1)
			break;
	}
	cr_assert(has_sent && steps < STEPS_MOST, "%u steps", steps);
	cr_assert_gt(steps, 500, "nothing was looked at");
	return locked;
}

/* Serves one message of the hub's connection, while nothing else of the server runs. */
static void
serve_one(unsigned hub)
{
	size_t size = read_memory(scene.worker, scene.segment.from, scene.before, SEGMENT_MOST);
	unsigned locked;

	cr_assert_gt(size, 0);
	cr_assert_eq(send(scene.clients[hub], "hello", 5, 0), 5);
	locked = step_through(hub);
	if (locked < scene.locked[hub])
		scene.locked[hub] = locked;
	cr_assert_eq(read_memory(scene.worker, scene.segment.from, scene.after, size), size);
	for (size_t i = 0; i < size; i++) {
		unsigned char *line = &scene.written[i / CACHE_LINE];

		if (scene.before[i] == scene.after[i])
			continue;
		cr_assert(*line == 0 || *line == hub + 1, "both hubs write the line at %zu", i);
		*line = (unsigned char)(hub + 1);
	}
}

static void
stop_threads(void)
{
	int status;

	kill(server.pid, SIGSTOP);
	for (unsigned hub = 0; hub < HUBS; hub++) {
		cr_assert_eq(ptrace(PTRACE_ATTACH, scene.threads[hub], NULL, NULL), 0, "%m");
		cr_assert_eq(waitpid(scene.threads[hub], &status, __WALL), scene.threads[hub]);
	}
}

static void
let_threads_go(void)
{
	for (unsigned hub = 0; hub < HUBS; hub++)
		ptrace(PTRACE_DETACH, scene.threads[hub], NULL, NULL);
	kill(server.pid, SIGCONT);
}

static bool
has_client_each(void)
{
	return scene.clients[0] != 0 && scene.clients[1] != 0;
}

/* Connects until each hub has a connection. The state is that of a moment ago. */
static void
connect_to_all(void)
{
	long first = 0;

	for (int i = 0; i < CLIENTS_MOST && !has_client_each(); i++) {
		int fd = client_connect(server.program.port);
		long before = first;

		cr_assert(client_exchange(fd, "hello", "HELLO"));
		for (int tries = 0; tries < 1000 && server_number(&server, "connections") < i + 1;
			tries++)
			usleep(10000);
		first = server_hub(&server, 0, 0, "connections");
		cr_assert_eq(first + server_hub(&server, 0, 1, "connections"), i + 1);
		scene.clients[first > before ? 0 : 1] = fd;
	}
	cr_assert(has_client_each());
}

/* The second hub's thread is named after it. */
static pid_t
find_thread(const char *name)
{
	char command[128], text[32] = "";
	FILE *pipe;

	snprintf(command, sizeof command, "grep -l -x %s /proc/%d/task/*/comm | cut -d / -f 5",
		name, (int)scene.worker);
	pipe = popen(command, "r");
	cr_assert_not_null(fgets(text, sizeof text, pipe), "no %s", name);
	pclose(pipe);
	return atoi(text);
}

Test(locked, an_echo_locks_no_line_and_writes_none_of_another_hub)
{
	if (getenv("HUBBUB_BIN") != NULL)
		cr_skip_test("a sanitizer's own instructions lock");
	/* Its thread counts hubs that do not come back, which these seem to be. */
	setenv("HUBBUB_WATCHDOG", "0", 1);
	cr_assert(server_start(&server, "hubbub-echo", "1", "2", NULL), "%s", server.program.text);
	connect_to_all();
	scene.worker = server_worker(&server, 0);
	scene.threads[0] = scene.worker;
	scene.threads[1] = find_thread("hub-1");
	scene.libc = find_range(scene.worker, "/libc.so");
	scene.segment = find_range(scene.worker, "hubbub-counters");
	scene.locked[0] = scene.locked[1] = STEPS_MOST;
	stop_threads();
	/* A hub that is stepped is slow: in some echoes its timers are due, and free memory. */
	for (int round = 0; round < ROUNDS; round++)
		for (unsigned hub = 0; hub < HUBS; hub++)
			serve_one(hub);
	let_threads_go();
	for (unsigned hub = 0; hub < HUBS; hub++) {
		cr_expect_eq(scene.locked[hub], 0, "%u", scene.locked[hub]);
		cr_expect_not_null(memchr(scene.written, (int)hub + 1, sizeof scene.written));
	}
}

#endif

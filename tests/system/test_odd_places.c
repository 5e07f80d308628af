/* The programs where a directory, a file or a standard stream is missing, closed, full or
 * read-only. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

static struct server server;
static char text[PROGRAM_OUTPUT_SIZE];

static void
begin(void)
{
	cr_assert(server_make_folder(&server));
}

static void
end(void)
{
	server_clean(&server);
}

TestSuite(odd_places, .init = begin, .fini = end, .timeout = 900);

/* ---- help ---- */

/* Runs a line by the shell. Returns its exit code; text becomes what it printed. */
static int
shell(const char *line)
{
	char *argv[] = {"/bin/sh", "-c", (char *)(uintptr_t)line, NULL};
	struct program program;
	int code;

	cr_assert(program_start(&program, argv, 0));
	code = program_wait(&program, 60);
	snprintf(text, sizeof text, "%s", program.text);
	program_end(&program);
	return code;
}

static bool
is_ready(void *unused)
{
	(void)unused;
	return server_ctl(&server, "status", NULL, NULL, 0) == 0;
}

/* Starts a server on a Unix socket in the directory, by a line of the shell that ends with
 * redirections of its file descriptors, and waits until it is ready. */
static void
start(const char *options, const char *redirections)
{
	static char line[8192];
	char *argv[] = {"/bin/sh", "-c", line, NULL};

	snprintf(line, sizeof line, "exec %s --listen=unix:%s/socket -p2 -t1 --control=%s %s %s",
		program_path("hubbub-echo"), server.folder, server.control, options, redirections);
	cr_assert(program_start(&server.program, argv, 0));
	cr_assert(wait_until(is_ready, NULL, 20), "%s: %s", line, server.program.text);
}

static bool
exchanges(void *unused)
{
	char path[FOLDER_SIZE + 16];

	(void)unused;
	snprintf(path, sizeof path, "%s/socket", server.folder);
	return client_is_answered(client_connect_path(path), "odd", "ODD");
}

static void
stop(const char *where)
{
	cr_assert_eq(program_stop(&server.program, SIGTERM, 20), 0, "%s: %s", where,
		server.program.text);
	program_end(&server.program);
}

/* ---- closed standard descriptors ---- */

static const char *const closings[] = {
	"<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"};

enum { CLOSINGS = sizeof closings / sizeof closings[0] };

/* Whether the file descriptor is a socket, or one of the kernel's, such as epoll. */
static bool
is_somebody_elses(pid_t pid, int fd)
{
	char link[64], target[64];
	ssize_t length;

	snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, fd);
	length = readlink(link, target, sizeof target - 1);
	target[length > 0 ? length : 0] = '\0';
	return strncmp(target, "socket:", 7) == 0 || strncmp(target, "anon_inode:", 11) == 0 ||
	       strncmp(target, "/memfd:", 7) == 0 || target[0] == '\0';
}

Test(odd_places, a_server_without_standard_descriptors)
{
	for (int i = 0; i < CLOSINGS; i++) {
		pid_t pids[9] = {0};
		int count;

		start("", closings[i]);
		cr_assert(exchanges(NULL), "%s", closings[i]);
		pids[0] = server.program.pid;
		count = 1 + program_children(pids[0], pids + 1, 8);
		cr_assert_eq(count, 3);
		for (int p = 0; p < count; p++)
			for (int fd = 0; fd <= 2; fd++)
				cr_assert_not(is_somebody_elses(pids[p], fd), "%s: process %d, %d",
					closings[i], p, fd);
		cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0, "%s", closings[i]);
		cr_assert(exchanges(NULL), "%s", closings[i]);
		stop(closings[i]);
	}
}

/* hubbub-ctl sends nothing to the server but the command, and hubbub-load nothing but messages: no
 * log line gets into a socket that has a standard stream's descriptor. */
Test(odd_places, clients_without_standard_descriptors)
{
	char line[4096];

	start("", "");
	for (int i = 0; i < CLOSINGS; i++) {
		bool has_output = strstr(closings[i], " >&-") == NULL && closings[i][0] != '>';
		int code;

		snprintf(line, sizeof line, "%s -s %s status %s", program_path("hubbub-ctl"),
			server.control, closings[i]);
		code = shell(line);
		cr_assert(has_output ? code == 0 : code >= 0, "%s: %d", line, code);
		snprintf(line, sizeof line, "%s -n 50 -c 2 unix:%s/socket %s",
			program_path("hubbub-load"), server.folder, closings[i]);
		code = shell(line);
		cr_assert(has_output ? code == 0 : code == 1, "%s: %d", line, code);
	}
	cr_assert(exchanges(NULL));
	stop("clients");
}

/* ---- no room ---- */

static const struct {
	const char *program;
	const char *arguments;
} prints[] = {
	{"hubbub-echo", "--help"},
	{"hubbub-echo", "--usage"},
	{"hubbub-echo", "--version"},
	{"hubbub-echo", "--print-config"},
	{"hubbub-echo", "--check"},
	{"hubbub-ctl", "--help"},
	{"hubbub-ctl", "--version"},
	{"hubbub-load", "--help"},
	{"hubbub-load", "sweep --help"},
	{"hubbub-load", "--version"},
	{"hubbub-load", "compare --help"},
	{"hubbub-load", "report --help"},
};

Test(odd_places, what_cannot_be_printed_is_a_failure)
{
	char line[4096];

	for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
		snprintf(line, sizeof line, "%s %s >/dev/full", program_path(prints[i].program),
			prints[i].arguments);
		cr_assert_eq(shell(line), 1, "%s: %s", line, text);
		cr_assert_not_null(
			strstr(text, "standard output cannot be written"), "%s: %s", line, text);
	}
}

Test(odd_places, who_reads_no_more_hears_nothing_of_it)
{
	char line[4096];

	for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
		snprintf(line, sizeof line, "{ sleep 0.2; %s %s; } | true; sleep 0.5",
			program_path(prints[i].program), prints[i].arguments);
		cr_assert_eq(shell(line), 0, "%s: %s", line, text);
		cr_assert_null(strstr(text, "cannot be written"), "%s: %s", line, text);
	}
}

Test(odd_places, a_result_without_room_is_a_failure)
{
	static const char *const files[] = {"-o", "--html", "--hdr", "--stream"};
	char line[4096];

	start("", "");
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(line, sizeof line, "%s -d 2.5s -c 2 %s /dev/full unix:%s/socket",
			program_path("hubbub-load"), files[i], server.folder);
		cr_assert_eq(shell(line), 1, "%s: %s", line, text);
		cr_assert_not_null(strstr(text, "/dev/full cannot be written: No space left"),
			"%s: %s", line, text);
	}
	/* The limit on file size (SIGXFSZ) kills no process. */
	snprintf(line, sizeof line,
		"prlimit --pid=$$ --fsize=1000; exec %s -n 50 -c 2 -o %s/result unix:%s/socket",
		program_path("hubbub-load"), server.folder, server.folder);
	cr_assert_eq(shell(line), 1, "%s", text);
	cr_assert_not_null(strstr(text, "/result cannot be written: File too large"), "%s", text);
	stop("results");
}

/* ---- another tree of files ---- */

/* Gives this process a mount namespace of its own. */
static void
leave_the_others(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		cr_skip("needs mounts of its own");
}

/* Mounts a file system of 64 KiB in the directory, and fills it. */
static void
mount_full(char path[static FOLDER_SIZE + 8])
{
	char line[256];

	snprintf(path, FOLDER_SIZE + 8, "%s/full", server.folder);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(mount("none", path, "tmpfs", 0, "size=64k"), 0);
	snprintf(line, sizeof line, ": >%s/log; head -c 1000000 /dev/zero >%s/rest", path, path);
	shell(line);
}

Test(odd_places, a_full_disk)
{
	char full[FOLDER_SIZE + 8], options[256], log[256];

	leave_the_others();
	mount_full(full);
	snprintf(options, sizeof options, "--pidfile=%s/pid", full);
	snprintf(log, sizeof log, "2>>%s/log", full);
	start(options, log);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert(exchanges(NULL));
	cr_assert_eq(server_ctl(&server, "status", "--json", text, sizeof text), 0);
	cr_assert_not_null(strstr(text, "\"log_lost\":"), "%s", text);
	cr_assert_null(strstr(text, "\"log_lost\":0"), "%s", text);
	stop("a full disk");
	umount(full);
}

Test(odd_places, no_proc)
{
	char library[4096];

	if (program_is_sanitized())
		cr_skip("a sanitizer's runtime reads /proc itself");
	leave_the_others();
	/* Without LD_LIBRARY_PATH the programs do not find the library beside them. */
	snprintf(library, sizeof library, "%s", program_path("../lib"));
	setenv("LD_LIBRARY_PATH", library, 1);
	cr_assert_eq(mount("none", "/proc", "tmpfs", 0, NULL), 0);
	start("", "");
	cr_assert(exchanges(NULL));
	cr_assert_eq(server_ctl(&server, "reload", NULL, text, sizeof text), 0, "%s", text);
	cr_assert_eq(server_ctl(&server, "stacks", NULL, text, sizeof text), 0, "%s", text);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, text, sizeof text), 1, "%s", text);
	cr_assert_not_null(strstr(text, "is /proc mounted?"), "%s", text);
	cr_assert(exchanges(NULL));
	stop("without /proc");
	umount("/proc");
}

Test(odd_places, a_file_system_that_cannot_be_written)
{
	char line[4096], path[FOLDER_SIZE + 8];

	leave_the_others();
	snprintf(path, sizeof path, "%s/fixed", server.folder);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(mount("none", path, "tmpfs", MS_RDONLY, NULL), 0);
	/* A file that was asked for and cannot be had is an error that names the file. */
	snprintf(line, sizeof line, "%s --listen=127.0.0.1:0 --pidfile=%s/pid",
		program_path("hubbub-echo"), path);
	cr_assert_eq(shell(line), 1, "%s", text);
	cr_assert(strstr(text, "Read-only") != NULL && strstr(text, path) != NULL, "%s", text);
	snprintf(line, sizeof line, "%s --listen=127.0.0.1:0 --control=%s/control",
		program_path("hubbub-echo"), path);
	cr_assert_eq(shell(line), 1, "%s", text);
	cr_assert(strstr(text, "Read-only") != NULL && strstr(text, path) != NULL, "%s", text);
	snprintf(
		line, sizeof line, "%s --listen=unix:%s/socket", program_path("hubbub-echo"), path);
	cr_assert_eq(shell(line), 1, "%s", text);
	cr_assert(strstr(text, "Read-only") != NULL && strstr(text, path) != NULL, "%s", text);
	umount(path);
}

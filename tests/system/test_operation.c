/* What service managers and administrators rely on: privileges, pid file, log, socket activation,
 * warnings, reports of crashes. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"
#include "tests/support/witness.h"

static struct server server;
static char output[PROGRAM_OUTPUT_SIZE];
static char folder[FOLDER_SIZE];

static void
begin(void)
{
	cr_assert(folder_make(folder));
}

static void
end(void)
{
	server_clean(&server);
	folder_remove(folder);
}

TestSuite(operation, .init = begin, .fini = end, .timeout = 600);

/* ---- privileges ---- */

/* Counts the threads of the process that do not have this user and group, or still have
 * capabilities. */
static int
count_privileged(pid_t pid, uid_t user)
{
	char path[300], line[256];
	int privileged = 0, threads = 0;
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
		unsigned real, effective, saved, group;
		unsigned long long capabilities;
		FILE *status;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, entry->d_name);
		status = fopen(path, "r");
		threads++;
		while (status != NULL && fgets(line, sizeof line, status) != NULL) {
			if (sscanf(line, "Uid: %u %u %u", &real, &effective, &saved) == 3)
				privileged += real != user || effective != user || saved != user;
			if (sscanf(line, "Gid: %u", &group) == 1)
				privileged += group == 0;
			if (sscanf(line, "CapEff: %llx", &capabilities) == 1)
				privileged += capabilities != 0;
		}
		if (status != NULL)
			fclose(status);
	}
	if (tasks != NULL)
		closedir(tasks);
	return threads > 0 ? privileged : -1;
}

Test(operation, privileges_are_dropped_in_every_thread_and_spare_sockets_are_bound_before)
{
	const struct passwd *nobody = getpwnam("nobody");
	pid_t workers[2];
	int fd;

	if (geteuid() != 0 || nobody == NULL)
		cr_skip("needs to start as root");
	cr_assert_eq(chmod(folder, 0755), 0);
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--user=nobody", NULL), "%s",
		server.program.text);
	for (unsigned i = 0; i < 2; i++)
		workers[i] = server_worker(&server, i);
	cr_assert_eq(count_privileged(server.pid, nobody->pw_uid), 0, "the master");
	cr_assert_eq(count_privileged(*workers, nobody->pw_uid), 0, "a worker");
	cr_assert_eq(server_ctl(&server, "scale", "2x32", output, sizeof output), 0, "%s", output);
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "spare", "SPARE"));
	close(fd);
	cr_assert_eq(server_ctl(&server, "scale", "5x13", output, sizeof output), 1);
	cr_assert_not_null(strstr(output, "privileges were dropped"), "%s", output);
	cr_assert_eq(server_number(&server, "threads"), 32, "it is as it was");
	/* The new master has no privileges either, and needs none. */
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_eq(count_privileged(server.pid, nobody->pw_uid), 0);
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "after", "AFTER"));
	close(fd);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Tries as that user, in a child, to open the memory and the first file descriptor of a process.
 * Returns whether both are refused. */
static bool
is_hidden_from(const struct passwd *user, pid_t pid)
{
	char memory[64], descriptor[64];
	int status = 0;
	pid_t child;

	snprintf(memory, sizeof memory, "/proc/%d/mem", (int)pid);
	snprintf(descriptor, sizeof descriptor, "/proc/%d/fd/0", (int)pid);
	child = fork();
	if (child == 0) {
		bool is_user = setgroups(0, NULL) == 0 && setgid(user->pw_gid) == 0 &&
			       setuid(user->pw_uid) == 0;

		_exit(is_user && open(memory, O_RDONLY) == -1 && errno == EACCES &&
					open(descriptor, O_RDONLY) == -1 && errno == EACCES
				? 0
				: 1);
	}
	cr_assert_gt(child, 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What root has read, such as a certificate's key, is in the memory of all processes of the server.
 * The server itself can read all that it needs. */
Test(operation, the_other_user_sees_neither_memory_nor_descriptors)
{
	const struct passwd *nobody = getpwnam("nobody");

	if (program_is_sanitized())
		cr_skip("a sanitizer cannot look for leaks in what nobody may see");
	if (geteuid() != 0 || nobody == NULL)
		cr_skip("needs to start as root");
	cr_assert_eq(chmod(folder, 0755), 0);
	cr_assert(server_start(&server, "hubbub-echo", "1", "2", "--user=nobody", NULL), "%s",
		server.program.text);
	cr_assert(is_hidden_from(nobody, server.pid), "the master");
	cr_assert(is_hidden_from(nobody, server_worker(&server, 0)), "a worker");
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert(is_hidden_from(nobody, server.pid), "the new master");
	cr_assert(is_hidden_from(nobody, server_worker(&server, 0)), "its worker");
	cr_assert_eq(server_ctl(&server, "stacks", NULL, output, sizeof output), 0, "%s", output);
	cr_assert_not_null(strstr(output, "acceptor"), "%s", output);
	server_signal_worker(&server, 0, SIGSEGV);
	cr_assert(program_expect(&server.program, "killed by signal 11", 20), "%s",
		server.program.text);
	cr_assert(program_expect(&server.program, "thread_run+", 20), "its backtrace: %s",
		server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* ---- the log ---- */

static bool
file_has(const char *path, const char *text)
{
	char content[65536];
	size_t length;
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return false;
	length = fread(content, 1, sizeof content - 1, file);
	content[length] = '\0';
	fclose(file);
	return strstr(content, text) != NULL;
}

struct content {
	const char *path;
	const char *text;
};

static bool
has_content(void *context)
{
	const struct content *content = context;

	return file_has(content->path, content->text);
}

/* A program, and the file to which its worker's log must lead. */
struct worker_log {
	const struct program *program;
	const char *path;
};

static bool
is_worker_log(void *context)
{
	const struct worker_log *log = context;
	pid_t worker = 0;

	program_children(log->program->pid, &worker, 1);
	return program_holds(worker, log->path);
}

Test(operation, usr1_reopens_the_log_in_master_and_workers)
{
	char log[96], moved[96], command[256];
	char *argv[] = {"/bin/sh", "-c", command, NULL};
	struct content ready = {log, "ready: "}, reopened = {log, "the log is reopened"};
	struct content late = {log, "has not switched"};
	struct program naughty;
	struct worker_log workers = {&naughty, log};
	int fd, port;
	FILE *file;

	snprintf(log, sizeof log, "%s/log", folder);
	snprintf(moved, sizeof moved, "%s/log.1", folder);
	snprintf(command, sizeof command, "exec %s --listen=127.0.0.1:0 -p1 -t1 2>>%s",
		program_path("naughty"), log);
	cr_assert(program_start(&naughty, argv, 0));
	cr_assert(wait_until(has_content, &ready, 10));
	file = fopen(log, "r");
	while (fscanf(file, "ready: 127.0.0.1:%d", &port) != 1)
		cr_assert_neq(fscanf(file, "%*[^\n]\n"), EOF);
	fclose(file);
	cr_assert_eq(rename(log, moved), 0);
	kill(naughty.pid, SIGUSR1);
	cr_assert(wait_until(has_content, &reopened, 10));
	cr_assert(wait_until(is_worker_log, &workers, 10));
	/* A worker's log line goes to the same file. */
	if (getenv("HUBBUB_WATCHDOG") == NULL) {
		fd = client_connect(port);
		cr_assert(client_exchange(fd, "spin 3000\n", "done\n"));
		cr_assert(wait_until(has_content, &late, 5));
		close(fd);
	}
	cr_assert_not(file_has(moved, "has not switched"));
	cr_assert_eq(program_stop(&naughty, SIGTERM, 20), 0);
	cr_assert(file_has(log, "stopped: served"));
	program_end(&naughty);
}

/* ---- socket activation ---- */

static void
serve_on_passed_socket(bool reuses)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof address;
	char command[512];
	char *argv[] = {"/bin/bash", "-c", command, NULL};
	struct program echo;
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0), early;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (reuses)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(fd, 64), 0);
	getsockname(fd, (struct sockaddr *)&address, &length);
	/* A client that connects before the server exists. */
	early = client_connect(ntohs(address.sin_port));
	cr_assert_eq(send(early, "early", 5, 0), 5);
	snprintf(command, sizeof command,
		"LISTEN_PID=$$ LISTEN_FDS=1 exec 3<&%d; export LISTEN_PID=$$ LISTEN_FDS=1; exec %s "
		"--listen=127.0.0.1:%d -p2 -t2",
		fd, program_path("hubbub-echo"), ntohs(address.sin_port));
	cr_assert(program_start(&echo, argv, 0));
	cr_assert(program_expect(&echo, ", pid ", 20), "%s", echo.text);
	cr_assert(client_exchange(early, "", "EARLY"));
	for (int i = 0; i < 50; i++) {
		int client = client_connect(ntohs(address.sin_port));

		cr_assert(client_exchange(client, "late", "LATE"), "client %d", i);
		close(client);
	}
	close(early);
	cr_assert_eq(strstr(echo.text, "no socket can be bound beside the passed one") != NULL,
		!reuses, "%s", echo.text);
	cr_assert_eq(program_stop(&echo, SIGTERM, 20), 0, "%s", echo.text);
	program_end(&echo);
	/* The manager's socket still listens: a client that comes now waits for the next server. */
	for (int i = 0; i < 10; i++) {
		early = client_connect(ntohs(address.sin_port));
		cr_assert_neq(early, -1, "the socket was shut");
		close(early);
	}
	early = client_connect(ntohs(address.sin_port));
	cr_assert_eq(send(early, "early", 5, 0), 5);
	cr_assert(program_start(&echo, argv, 0));
	cr_assert(program_expect(&echo, ", pid ", 20), "%s", echo.text);
	cr_assert(client_exchange(early, "", "EARLY"));
	cr_assert_eq(program_stop(&echo, SIGTERM, 20), 0, "%s", echo.text);
	program_end(&echo);
	close(early);
	close(fd);
}

Test(operation, a_passed_socket_is_served_by_all_hubs)
{
	serve_on_passed_socket(true);
}

Test(operation, a_passed_socket_without_siblings_is_shared_by_all_hubs)
{
	serve_on_passed_socket(false);
}

/* ---- warnings ---- */

Test(operation, limits_that_will_bite_are_named_with_the_command_that_lifts_them)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--backlog=1000000", NULL));
	cr_assert(
		program_expect(&server.program, "lift it: sysctl -w net.core.somaxconn=1000000", 5),
		"%s", server.program.text);
}

/* Starts a server whose worker crashes. Returns the connection that caused the crash. */
static int
start_and_crash(void)
{
	int fd;

	cr_assert(server_start(&server, "naughty", "1", "1", NULL));
	if (program_is_sanitized())
		cr_skip("a sanitizer reports it itself");
	fd = client_connect(server.program.port);
	cr_assert_eq(send(fd, "crash\n", 6, 0), 6);
	cr_assert(program_expect(&server.program, "crashed: signal 11", 10), "%s",
		server.program.text);
	return fd;
}

Test(operation, a_crash_is_logged_with_signal_coroutine_and_backtrace)
{
	int fd = start_and_crash();

	cr_assert(program_expect(&server.program, "address 0x8", 5), "%s", server.program.text);
	cr_assert(program_expect(&server.program, "in coroutine \"connection\" of hub 0", 5));
	cr_assert(program_expect(&server.program, "(naughty+0x", 5), "%s", server.program.text);
	cr_assert(program_expect(&server.program, "was killed by signal 11", 5));
	close(fd);
	poll(NULL, 0, 300);
	fd = client_connect(server.program.port);
	cr_assert_eq(send(fd, "abort\n", 6, 0), 6);
	cr_assert(program_expect(&server.program, "crashed: signal 6", 10), "%s",
		server.program.text);
	close(fd);
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "and on\n", "AND ON\n"));
	close(fd);
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(operation, a_server_that_ends_right_after_a_crash_says_where_that_was)
{
	int fd = start_and_crash();

	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_not_null(
		strstr(server.program.text, ", hub 0 crashed in:"), "%s", server.program.text);
	cr_assert_not_null(strstr(server.program.text, "(naughty+0x"), "%s", server.program.text);
	close(fd);
}

static bool
have_exchanged_enough(void *exchanges)
{
	return __atomic_load_n((uint64_t *)exchanges, __ATOMIC_RELAXED) > 100;
}

/* Reading the crash must leave nothing in the master that a later worker inherits. */
Test(operation, after_a_crash_stacks_are_whole_and_no_connection_is_touched)
{
	struct witness witness = {.lasting = 60, .pause = 0.01, .limit = 10 * CLOCK_SECOND};

	close(start_and_crash());
	witness.target.port = server.program.port;
	witness_start(&witness);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(server_ctl(&server, "stacks", NULL, output, sizeof output), 0, "%s",
			output);
		cr_assert_not_null(strstr(output, "serve+0x"), "%.2000s", output);
		poll(NULL, 0, 100);
	}
	/* The clients pause the longer the longer their first answers took. */
	cr_assert(wait_until(have_exchanged_enough, &witness.result.exchanges, 30));
	witness_stop(&witness);
	cr_assert_eq(witness_failures(&witness), 0, "%s", witness_text(&witness));
	cr_assert_eq(server_end(&server, 20), 0);
}

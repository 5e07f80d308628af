/* The file of the control socket: its path, its permissions, who finds it and who removes it. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/server.h"

static struct server server;
static char output[PROGRAM_OUTPUT_SIZE];

static void
end(void)
{
	server_clean(&server);
}

TestSuite(control_file, .fini = end, .timeout = 600);

static int
ctl(const char *command, const char *argument)
{
	return server_ctl(&server, command, argument, output, sizeof output);
}

Test(control_file, a_server_that_is_not_there)
{
	snprintf(server.control, sizeof server.control, "/tmp/no-such-socket");
	cr_assert_eq(ctl("status", NULL), 1);
	cr_assert_not_null(strstr(output, "/tmp/no-such-socket"), "%s", output);
}

Test(control_file, only_the_owner_may_talk)
{
	struct stat status;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert_eq(stat(server.control, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	if (geteuid() != 0 || access("/usr/bin/setpriv", X_OK) != 0)
		cr_skip("needs to start as root");
	/* Even a user that gets through to the socket is refused. */
	cr_assert_eq(chmod(server.control, 0666), 0);
	cr_assert_eq(chmod(server.folder, 0755), 0);
	char *argv[] = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		program_path("hubbub-ctl"), "--socket", server.control, "status", NULL};
	struct program stranger;

	cr_assert(program_start(&stranger, argv, 0));
	cr_assert_neq(program_wait(&stranger, 10), 0, "%s", stranger.text);
	program_end(&stranger);
}

/* As a user that is not root, because root's sockets are in /run/hubbub, which other tests use,
 * too. */
Test(control_file, the_socket_is_found_and_removed_at_the_end)
{
	char *start[] = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		strdup(program_path("hubbub-echo")), "--listen=127.0.0.1:0", "-p1", "-t1", NULL};
	char *ask[] = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		program_path("hubbub-ctl"), "status", NULL};
	char folder[] = "/tmp/hubbub-run-XXXXXX", path[64];
	int without = geteuid() == 0 ? 0 : 4, port;
	struct program echo, asked;

	if (without == 0 && access(start[0], X_OK) != 0)
		cr_skip("needs setpriv");
	cr_assert_not_null(mkdtemp(folder));
	if (without == 0)
		cr_assert_eq(chown(folder, 65534, 65534), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	cr_assert(program_start(&echo, start + without, 0));
	cr_assert(program_expect(&echo, ", pid ", 20), "%s", echo.text);
	cr_assert_eq(sscanf(strstr(echo.text, "ready: "), "ready: 127.0.0.1:%d", &port), 1);
	snprintf(path, sizeof path, "%s/hubbub-echo-%d.sock", folder, port);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert(program_start(&asked, ask + without, 0));
	cr_assert_eq(program_wait(&asked, 10), 0, "%s", asked.text);
	cr_assert_eq(program_stop(&echo, SIGTERM, 20), 0);
	cr_assert_neq(access(path, F_OK), 0);
	rmdir(folder);
	program_end(&asked);
	program_end(&echo);
}

Test(control_file, what_a_killed_server_leaves_is_taken_and_what_a_living_one_has_is_not)
{
	char option[160];
	struct program second;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	snprintf(option, sizeof option, "--control=%s", server.control);
	cr_assert_not(program_start_echo(&second, option, "-p1", "-t1", NULL));
	cr_assert_not_null(strstr(second.text, server.control), "%s", second.text);
	cr_assert_not_null(strstr(second.text, "another server, or a file"), "%s", second.text);
	program_end(&second);
	cr_assert_eq(ctl("status", NULL), 0, "the living one keeps its socket: %s", output);
	program_stop(&server.program, SIGKILL, 5);
	cr_assert(program_start_echo(&second, option, "-p1", "-t1", NULL), "%s", second.text);
	cr_assert_eq(ctl("status", NULL), 0, "%s", output);
	cr_assert_eq(program_stop(&second, SIGTERM, 20), 0);
	program_end(&second);
}

Test(control_file, one_in_a_folder_that_is_not_there_is_refused)
{
	struct program echo;

	cr_assert_not(program_start_echo(&echo, "--control=/nonexistent/c", "-p1", "-t1", NULL));
	cr_assert_not_null(
		strstr(echo.text, "/nonexistent/c: there is no such directory; choose another"),
		"%s", echo.text);
	program_end(&echo);
}

static bool
is_socket_there(void *unused)
{
	(void)unused;
	return access(server.control, F_OK) == 0;
}

Test(control_file, a_socket_that_was_removed_comes_back)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	for (int round = 0; round < 2; round++) {
		cr_assert_eq(unlink(server.control), 0);
		cr_assert(program_expect(
			&server.program, "had been removed, and was made again", 20));
		cr_assert(wait_until(is_socket_there, NULL, 20));
		cr_assert_eq(ctl("status", NULL), 0, "%s", output);
		/* A new master maintains the socket, too. */
		cr_assert_eq(ctl("upgrade", NULL), 0, "%s", output);
		program_forget(&server.program);
	}
	cr_assert_eq(ctl("drain", NULL), 0, "%s", output);
	cr_assert_neq(access(server.control, F_OK), 0);
}

/* Another server's socket, which has replaced this server's: neither this server nor its successor
 * takes it for its own. */
Test(control_file, a_server_that_ends_leaves_the_socket_of_another)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t former;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	former = server.pid;
	snprintf(name.sun_path, sizeof name.sun_path, "%s", server.control);
	cr_assert_eq(unlink(server.control), 0);
	cr_assert_eq(bind(other, (struct sockaddr *)&name, sizeof name), 0);
	cr_assert_eq(listen(other, 8), 0);
	kill(former, SIGUSR2);
	cr_assert_eq(program_wait(&server.program, 30), 0);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert(server.pid > 0 && server.pid != former);
	kill(server.pid, SIGTERM);
	while (server_number(&server, "pid") == server.pid)
		poll(NULL, 0, 20);
	cr_assert_eq(access(server.control, F_OK), 0);
	close(other);
}

#define AS_NOBODY "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"
#define PRIVILEGED 4 /* arguments of the prefix */

/* As the user nobody, in a directory of its own. Returns the index at which a command begins. */
static int
use_own_folder(char folder[static 64])
{
	int without = geteuid() == 0 ? 0 : PRIVILEGED;

	if (without == 0 && access("/usr/bin/setpriv", X_OK) != 0)
		cr_skip("needs setpriv");
	strcpy(folder, "/tmp/hubbub-run-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chmod(folder, 0777), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	return without;
}

static void
start_as_nobody(struct program *program, int without, char *first, char *second)
{
	char *argv[] = {
		AS_NOBODY, strdup(program_path("hubbub-echo")), "-p1", "-t1", first, second, NULL};

	cr_assert(program_start(program, argv + without, 0));
	cr_assert(program_expect(program, ", pid ", 20), "%s", program->text);
}

/* Runs hubbub-ctl for that process, as the user nobody. */
static void
ask_by_pid(struct program *asked, int without, pid_t pid, const char *command)
{
	char named[32];
	char *ask[] = {AS_NOBODY, strdup(program_path("hubbub-ctl")), named, strdup(command), NULL};

	snprintf(named, sizeof named, "--pid=%d", (int)pid);
	cr_assert(program_start(asked, ask + without, 0));
}

Test(control_file, servers_with_paths_alone_or_on_one_port_have_each_a_socket)
{
	char folder[64], listen[4][128];
	char *ask[] = {AS_NOBODY, strdup(program_path("hubbub-ctl")), "status", NULL};
	int without = use_own_folder(folder), port = server_lasting_port();
	struct program echo[4], asked;

	snprintf(listen[0], sizeof listen[0], "--listen=unix:%s/a", folder);
	snprintf(listen[1], sizeof listen[1], "--listen=unix:%s/b", folder);
	snprintf(listen[2], sizeof listen[2], "--listen=127.0.0.1:%d", port);
	snprintf(listen[3], sizeof listen[3], "--listen=127.0.0.2:%d", port);
	for (int i = 0; i < 4; i++) {
		start_as_nobody(&echo[i], without, listen[i], NULL);
		cr_assert_null(
			strstr(echo[i].text, "cannot open the control socket"), "%s", echo[i].text);
	}
	cr_assert(program_start(&asked, ask + without, 0));
	cr_assert_eq(program_wait(&asked, 20), 1);
	cr_assert_not_null(
		strstr(asked.text, "4 servers run here; name one with --pid or"), "%s", asked.text);
	for (int i = 0; i < 4; i++) {
		char named[32];

		snprintf(named, sizeof named, "(pid %d)", (int)echo[i].pid);
		cr_assert_not_null(strstr(asked.text, named), "%s", asked.text);
	}
	program_end(&asked);
	ask_by_pid(&asked, without, getpid(), "status");
	cr_assert_eq(program_wait(&asked, 20), 1);
	cr_assert_not_null(strstr(asked.text, "--socket"), "%s", asked.text);
	cr_assert_not_null(strstr(asked.text, "; there are:\n"), "%s", asked.text);
	program_end(&asked);
	/* The other servers go on. */
	for (int i = 0; i < 4; i++) {
		ask_by_pid(&asked, without, echo[i].pid, "status");
		cr_assert_eq(program_wait(&asked, 20), 0, "%s", asked.text);
		program_end(&asked);
		ask_by_pid(&asked, without, echo[i].pid, "drain");
		cr_assert_eq(program_wait(&asked, 20), 0, "%s", asked.text);
		program_end(&asked);
		cr_assert_eq(program_wait(&echo[i], 20), 0);
		program_end(&echo[i]);
	}
	rmdir(folder);
}

Test(control_file, what_killed_servers_left_is_told_and_swept_away)
{
	char folder[64], path[128];
	char *ask[] = {AS_NOBODY, strdup(program_path("hubbub-ctl")), "status", NULL};
	int without = use_own_folder(folder), port;
	struct program first, second, asked;

	start_as_nobody(&first, without, "--listen=127.0.0.1:0", NULL);
	cr_assert_eq(sscanf(strstr(first.text, "ready: "), "ready: 127.0.0.1:%d", &port), 1);
	program_stop(&first, SIGKILL, 10);
	program_end(&first);
	snprintf(path, sizeof path, "%s/hubbub-echo-%d.sock", folder, port);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert(program_start(&asked, ask + without, 0));
	cr_assert_eq(program_wait(&asked, 20), 1);
	cr_assert_not_null(strstr(asked.text, "no server listens any more at"), "%s", asked.text);
	cr_assert_not_null(strstr(asked.text, path), "%s", asked.text);
	program_end(&asked);
	start_as_nobody(&second, without, "--listen=127.0.0.1:0", NULL);
	cr_assert_neq(access(path, F_OK), 0);
	cr_assert_eq(program_stop(&second, SIGTERM, 20), 0);
	program_end(&second);
	cr_assert_eq(rmdir(folder), 0, "it is empty");
}

/* A server that changes its user could neither remove its socket in root's directory, nor make it
 * again. */
Test(control_file, a_server_that_changes_its_user_leaves_nothing)
{
	static char script[] =
		"mount -t tmpfs -o mode=755 none /run && unset XDG_RUNTIME_DIR\n"
		"\"$0\" --listen=127.0.0.1:0 -p1 -t1 --user=nobody 2>/run/log & pid=$!\n"
		"until \"$1\" status >/run/status 2>&1; do kill -0 $pid || exit 3; sleep 0.1; "
		"done\n"
		"ls /run/hubbub/nobody/hubbub-echo-*.sock || exit 4\n"
		"rm /run/hubbub/nobody/hubbub-echo-*.sock\n"
		"until grep -q 'was made again' /run/log; do sleep 0.1; done\n"
		"\"$1\" drain || exit 5\n"
		"wait $pid || exit 6\n"
		"[ -z \"$(ls /run/hubbub/nobody)\" ] && [ \"$(ls /run/hubbub)\" = nobody ] || exit "
		"7";
	char *argv[] = {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script,
		strdup(program_path("hubbub-echo")), program_path("hubbub-ctl"), NULL};
	struct program all;

	if (geteuid() != 0 || getpwnam("nobody") == NULL ||
		system("unshare --mount mount -t tmpfs -o mode=755 none /run 2>/dev/null") != 0)
		cr_skip("needs root, and mounts of its own");
	cr_assert(program_start(&all, argv, 0));
	cr_assert_eq(program_wait(&all, 60), 0, "%s", all.text);
	program_end(&all);
}

/* Also after an upgrade, and after the socket was made again. */
Test(control_file, members_of_the_servers_group_operate_it_and_do_not_end_it)
{
	static char script[] =
		"mount -t tmpfs -o mode=755 none /run && unset XDG_RUNTIME_DIR\n"
		"install -d -o 54323 -g 54324 /run/hubbub\n"
		"member() { setpriv --reuid=54321 --regid=54321 --groups=54324 \"$@\"; }\n"
		"stranger() { setpriv --reuid=54322 --regid=54322 --clear-groups \"$@\"; }\n"
		"setpriv --reuid=54323 --regid=54324 --clear-groups \"$0\" --listen=127.0.0.1:0 "
		"-p1 -t1 2>/run/log & pid=$!\n"
		"until \"$1\" status >/run/status 2>&1; do kill -0 $pid || exit 3; sleep 0.1; "
		"done\n"
		"[ \"$(stat -c %a /run/hubbub/hubbub-echo-*.sock)\" = 660 ] || exit 4\n"
		"for round in 1 2; do\n"
		"member \"$1\" status || exit 5\n"
		"member \"$1\" reload || exit 6\n"
		"! member \"$1\" drain 2>/run/said || exit 7\n"
		"grep -q 'only root and the server.s user may end it' /run/said || exit 8\n"
		"! stranger \"$1\" status 2>/run/said || exit 9\n"
		"grep -q 'and the group of the file' /run/said || exit 10\n"
		"rm /run/hubbub/hubbub-echo-*.sock\n"
		"until [ -S /run/hubbub/hubbub-echo-*.sock ]; do sleep 0.1; done\n"
		"member \"$1\" upgrade || exit 11\n"
		"done\n"
		"\"$1\" drain || exit 12";
	char *argv[] = {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script,
		strdup(program_path("hubbub-echo")), program_path("hubbub-ctl"), NULL};
	struct program all;

	if (geteuid() != 0 ||
		system("unshare --mount mount -t tmpfs -o mode=755 none /run 2>/dev/null") != 0)
		cr_skip("needs root, and mounts of its own");
	cr_assert(program_start(&all, argv, 0));
	cr_assert_eq(program_wait(&all, 120), 0, "%s", all.text);
	program_end(&all);
}

Test(control_file, without_a_folder_for_it_that_is_said)
{
	static char script[] =
		"mount -t tmpfs -o mode=755 none /run && unset XDG_RUNTIME_DIR && exec setpriv "
		"--reuid=65534 --regid=65534 --clear-groups \"$0\" "
		"--listen=127.0.0.1:0 -p1 -t1";
	char *argv[] = {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script,
		program_path("hubbub-echo"), NULL};
	struct program echo;

	if (geteuid() != 0 ||
		system("unshare --mount mount -t tmpfs -o mode=755 none /run 2>/dev/null") != 0)
		cr_skip("needs root, and mounts of its own");
	cr_assert(program_start(&echo, argv, 0));
	cr_assert(program_expect(&echo, ", pid ", 20), "%s", echo.text);
	cr_assert_not_null(
		strstr(echo.text, "no directory for the control socket: neither /run/hubbub nor "
				  "$XDG_RUNTIME_DIR"),
		"%s", echo.text);
	cr_assert_eq(program_stop(&echo, SIGTERM, 20), 0);
	program_end(&echo);
}

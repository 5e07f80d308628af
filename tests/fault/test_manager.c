/* Upgrades under a service manager, which this process plays: it adopts orphaned processes, knows
 * the main process, and kills the rest when the main process has ended. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

#define CLIENTS 50

static struct server server;
static char folder[FOLDER_SIZE];
static int channel = -1;
static int clients[CLIENTS];

static void
begin(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int on = 1;

	cr_assert(folder_make(folder));
	snprintf(name.sun_path, sizeof name.sun_path, "%s/notify", folder);
	channel = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(channel, (struct sockaddr *)&name, sizeof name), 0);
	setsockopt(channel, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void
end(void)
{
	server_clean(&server);
	folder_remove(folder);
}

TestSuite(manager, .init = begin, .fini = end, .timeout = 600);

/* ---- what it is told ---- */

struct notice {
	pid_t sender;
	char text[512];
};

/* Receives the next notification. Returns whether one came in time. */
static bool
receive(struct notice *notice)
{
	union {
		char room[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec part = {notice->text, sizeof notice->text - 1};
	struct msghdr envelope = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	struct pollfd query = {.fd = channel, .events = POLLIN};
	struct ucred sender;
	ssize_t length;

	if (poll(&query, 1, (int)(program_patience(10) * 1000)) != 1 ||
		(length = recvmsg(channel, &envelope, 0)) < 0)
		return false;
	memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&envelope)), sizeof sender);
	notice->sender = sender.pid;
	notice->text[length] = '\0';
	return true;
}

/* Receives notifications until one has the text. */
static void
expect_notice(struct notice *notice, const char *text)
{
	do
		cr_assert(receive(notice), "no %s", text);
	while (strstr(notice->text, text) == NULL);
}

static pid_t
parent_of(pid_t pid)
{
	char path[64], text[512] = "";
	const char *rest;
	int parent = 0;
	FILE *stream;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	stream = fopen(path, "re");
	if (stream == NULL)
		return 0;
	if (fread(text, 1, sizeof text - 1, stream) > 0 && (rest = strrchr(text, ')')) != NULL &&
		sscanf(rest, ") %*c %d", &parent) != 1)
		parent = 0;
	fclose(stream);
	return parent;
}

/* Begins an upgrade by hubbub-ctl in a child, which repeats it while a hub seems to hang, as it
 * may on a busy machine. Returns the child, for await_upgrade. */
static pid_t
begin_upgrade(void)
{
	char output[1024] = "";
	pid_t child = fork();
	int code;

	cr_assert_neq(child, -1);
	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	code = server_ctl(&server, "upgrade", NULL, output, sizeof output);
	if (code != 0)
		fputs(output, stderr);
	_exit(code);
}

static void
await_upgrade(pid_t child)
{
	int status;

	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "hubbub-ctl fails");
}

/* When the new master is named as the main process it is this process's own child, and only then
 * says that it is ready. */
static void
upgrade(void)
{
	pid_t ctl = begin_upgrade();
	struct notice notice;
	int named;

	do {
		cr_assert(receive(&notice), "the new master is not named");
		cr_assert_eq(notice.sender, server.pid, "%s", notice.text);
	} while (sscanf(notice.text, "MAINPID=%d", &named) != 1);
	cr_assert_eq(parent_of(named), getpid(), "it is not our child");
	expect_notice(&notice, "READY=1");
	cr_assert_eq(notice.sender, named);
	await_upgrade(ctl);
	server.pid = named;
}

Test(manager, the_new_master_is_its_own_child_before_it_is_named)
{
	struct notice notice;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL), "%s", server.program.text);
	expect_notice(&notice, "READY=1");
	for (int i = 0; i < 5; i++)
		upgrade();
	kill(server.pid, SIGTERM);
	expect_notice(&notice, "STOPPING=1");
	cr_assert_eq(notice.sender, server.pid);
	cr_assert_eq(waitpid(server.pid, NULL, 0), server.pid);
}

/* A service manager ignores, and logs, notifications from any process but the main one. */
Test(manager, the_new_master_says_nothing_before_it_is_named)
{
	struct notice notice;

	setenv("WATCHDOG_USEC", "30000", 1);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL), "%s", server.program.text);
	expect_notice(&notice, "READY=1");
	for (int i = 0; i < 3; i++)
		upgrade();
	kill(server.pid, SIGTERM);
	expect_notice(&notice, "STOPPING=1");
	cr_assert_eq(waitpid(server.pid, NULL, 0), server.pid);
}

/* ---- when it does not read ---- */

/* Fills the socket until there is no room for another notification. */
static void
fill_queue(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un name;
	socklen_t length = sizeof name;

	cr_assert_eq(getsockname(channel, (struct sockaddr *)&name, &length), 0);
	while (sendto(fd, "X=1", 3, 0, (struct sockaddr *)&name, length) == 3)
		;
	close(fd);
}

static bool
has_reloaded(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.reloads") == 1;
}

static bool
has_handed_over(void *unused)
{
	long pid = server_number(&server, "pid");

	(void)unused;
	return pid > 0 && pid != (long)server.pid;
}

/* If the main process ended before it named another, the service would end. What it has sent about
 * itself must not arrive after the new master's notification. */
Test(manager, that_does_not_read_still_learns_of_the_new_master)
{
	struct notice notice;
	char text[32];
	pid_t successor, ctl;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL), "%s", server.program.text);
	expect_notice(&notice, "READY=1");
	fill_queue();
	kill(server.pid, SIGHUP);
	cr_assert(wait_until(has_reloaded, NULL, 20));
	ctl = begin_upgrade();
	cr_assert(wait_until(has_handed_over, NULL, 20));
	successor = (pid_t)server_number(&server, "pid");
	/* With nothing to drain, the old master would be gone by now, did it not wait for the
	 * manager. */
	poll(NULL, 0, 1500);
	cr_assert_eq(waitpid(server.pid, NULL, WNOHANG), 0, "the former master has ended");
	do
		cr_assert(receive(&notice), "the new master is not named");
	while (strcmp(notice.text, "X=1") == 0);
	snprintf(text, sizeof text, "MAINPID=%d", (int)successor);
	cr_assert_str_eq(notice.text, text);
	cr_assert_eq(notice.sender, server.pid);
	cr_assert(receive(&notice));
	cr_assert_not_null(strstr(notice.text, "READY=1"), "%s", notice.text);
	cr_assert_not_null(strstr(notice.text, text), "%s", notice.text);
	cr_assert_eq(notice.sender, successor);
	await_upgrade(ctl);
	cr_assert_eq(waitpid(server.pid, NULL, 0), server.pid);
	server.pid = successor;
	kill(successor, SIGTERM);
	expect_notice(&notice, "STOPPING=1");
	cr_assert_eq(waitpid(successor, NULL, 0), successor);
}

/* ---- how it ends the server ---- */

static void
open_clients(void)
{
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = client_connect(server.program.port);
		cr_assert(client_exchange(clients[i], "hello\n", "HELLO\n"));
	}
}

/* TERM to the main process, and once it has ended, KILL to the rest. */
static void
stop_server(void)
{
	int status;

	kill(server.pid, SIGTERM);
	cr_assert_eq(waitpid(server.pid, &status, 0), server.pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	kill(-server.program.pid, SIGKILL);
}

Test(manager, a_stop_after_an_upgrade_cuts_nobody_off)
{
	struct notice notice;

	cr_assert(
		server_start(&server, "naughty", "2", "2",
			program_is_sanitized() ? "--drain-timeout=60" : "--drain-timeout=20", NULL),
		"%s", server.program.text);
	expect_notice(&notice, "READY=1");
	open_clients();
	/* The clients are the former master's, which must serve what they have begun: they come
	 * before the upgrade, which ends idle connections. */
	for (int i = 0; i < CLIENTS; i++)
		cr_assert_eq(send(clients[i], "sleep 4000\n", 11, 0), 11);
	upgrade();
	stop_server();
	for (int i = 0; i < CLIENTS; i++) {
		cr_assert(client_exchange(clients[i], "", "done\n"), "client %d is cut off", i);
		cr_assert(client_sees_end(clients[i]), "client %d", i);
		close(clients[i]);
	}
}

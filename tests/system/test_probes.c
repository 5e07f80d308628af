/* What probes, metrics, the agent, hubbub-ctl and the service manager are told about a server whose
 * hubs hang; and that they are answered beside clients that are slow, or flood. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/manager.h"
#include "tests/support/server.h"

#define WORKERS 2

static struct server server;
static char folder[FOLDER_SIZE];
static int manager = -1;

static void
begin(void)
{
	cr_assert(folder_make(folder));
	manager = manager_open(folder);
	cr_assert_neq(manager, -1);
	setenv("WATCHDOG_USEC", "300000", 1);
}

static void
end(void)
{
	server_clean(&server);
	folder_remove(folder);
	close(manager);
}

TestSuite(probes, .init = begin, .fini = end, .timeout = 600);

static int
code_of(const char *path)
{
	int code;

	free(server_get(&server, path, &code));
	return code;
}

/* ---- what is asked ---- */

static bool
is_ready(void *unused)
{
	(void)unused;
	return code_of("/readyz") == 200;
}

static bool
is_not_ready(void *unused)
{
	(void)unused;
	return code_of("/readyz") == 503;
}

static bool
is_live(void *unused)
{
	(void)unused;
	return code_of("/livez") == 200;
}

static bool
is_not_live(void *unused)
{
	(void)unused;
	return code_of("/livez") == 503;
}

/* Whether /metrics has that line. */
static bool
has_metric(const char *line)
{
	int code;
	char *text = server_get(&server, "/metrics", &code);
	bool has = text != NULL && strstr(text, line) != NULL;

	free(text);
	return has;
}

static bool
agent_says(int port, const char *line)
{
	char said[64] = "";
	int fd = client_connect(port);
	ssize_t length = recv(fd, said, sizeof said - 1, 0);

	close(fd);
	return length > 0 && strncmp(said, line, strlen(line)) == 0;
}

/* What the agent is asked, and what it is to say. */
struct question {
	int port;
	const char *line;
};

static bool
agent_does_say(void *context)
{
	const struct question *question = context;

	return agent_says(question->port, question->line);
}

static bool
is_served(void *unused)
{
	(void)unused;
	return server_ctl(&server, "status", NULL, NULL, 0) == 0;
}

static void
signal_all(const pid_t *workers, int number)
{
	for (int i = 0; i < WORKERS; i++)
		kill(workers[i], number);
}

static void
find_workers(pid_t *workers)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i] = server_worker(&server, i);
		cr_assert_gt(workers[i], 0);
	}
}

/* ---- hubs that hang ---- */

Test(probes, when_all_hubs_hang_nobody_hears_that_it_serves)
{
	int port = server_lasting_port();
	pid_t workers[WORKERS];
	char agent[48];

	snprintf(agent, sizeof agent, "--agent=127.0.0.1:%d", port);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--hang-timeout=0", agent, NULL));
	cr_assert(manager_hears(manager, "WATCHDOG=1", 20));
	find_workers(workers);
	signal_all(workers, SIGSTOP);
	cr_assert(wait_until(is_not_ready, NULL, 20), "/readyz");
	cr_assert(wait_until(is_not_live, NULL, 20), "/livez");
	cr_assert(agent_says(port, "down\n"));
	cr_assert(has_metric("\nhubbub_ready 0\n"));
	cr_assert(has_metric("\nhubbub_live 0\n"));
	cr_assert_eq(server_ctl(&server, "status", NULL, NULL, 0), 1);
	cr_assert(manager_hears(manager, "STATUS=not ready: no hub gives a sign of life", 20));
	manager_forget(manager);
	cr_assert_not(manager_hears(manager, "WATCHDOG=1", 1));
	/* One worker that serves is enough, whenever it is not silent itself on a busy machine. */
	kill(workers[1], SIGCONT);
	cr_assert(wait_until(is_ready, NULL, 20));
	cr_assert(wait_until(is_live, NULL, 20));
	cr_assert(wait_until(agent_does_say, &(struct question){port, "ready up "}, 20));
	cr_assert(manager_hears(manager, "STATUS=serving 127.0.0.1:", 20));
	cr_assert(manager_hears(manager, "WATCHDOG=1", 20));
	cr_assert(wait_until(is_served, NULL, 20));
	kill(workers[0], SIGCONT);
}

/* Whether no worker has the former pid any more. */
static bool
is_replaced(void *context)
{
	pid_t former = *(pid_t *)context;

	for (unsigned i = 0; i < WORKERS; i++)
		if (server_worker(&server, i) == former)
			return false;
	return true;
}

Test(probes, when_those_that_hang_are_replaced_it_is_ready_again)
{
	pid_t workers[WORKERS];

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--hang-timeout=3", NULL));
	find_workers(workers);
	signal_all(workers, SIGSTOP);
	cr_assert(wait_until(is_not_ready, NULL, 20));
	cr_assert(wait_until(is_ready, NULL, 60));
	cr_assert(wait_until(is_live, NULL, 20));
	for (unsigned i = 0; i < WORKERS; i++)
		cr_assert(wait_until(is_replaced, &workers[i], 60));
}

/* ---- pauses ---- */

/* Requests a path, without waiting for the answer. */
static int
ask(const char *path)
{
	char request[128];
	int fd = client_connect(server.admin);

	snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", path);
	cr_assert_eq(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
	return fd;
}

static void
assert_fine(int fd, const char *path)
{
	char answer[512] = "";

	cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0, "%s", path);
	cr_assert_not_null(strstr(answer, " 200 "), "%s: %s", path, answer);
	close(fd);
}

/* Stops the master alone, or the whole server, for longer than a hub may be silent. Requests that
 * come meanwhile are answered first. */
static void
pause_it(pid_t whom)
{
	int ready, live;

	kill(whom, SIGSTOP);
	ready = ask("/readyz");
	live = ask("/livez");
	poll(NULL, 0, 3000);
	kill(whom, SIGCONT);
	assert_fine(ready, "/readyz");
	assert_fine(live, "/livez");
}

Test(probes, after_a_pause_of_the_master_or_of_all_nothing_is_said_to_hang)
{
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	pause_it(server.pid);
	pause_it(-server.program.group);
	cr_assert_not(program_expect(&server.program, "not ready", 0.5), "%s", server.program.text);
}

/* ---- slow and flooding clients ---- */

#define SLOW 300

struct crowd {
	int port;
	const char *begins; /* what each client sends first; then a letter at a time */
	bool is_over;
};

/* Slow clients, each of which connects again whenever the server closes its connection. */
static void *
drip(void *argument)
{
	struct crowd *crowd = argument;
	int fds[SLOW];

	for (int i = 0; i < SLOW; i++)
		fds[i] = -1;
	while (!__atomic_load_n(&crowd->is_over, __ATOMIC_RELAXED)) {
		for (int i = 0; i < SLOW; i++) {
			if (fds[i] != -1 && send(fds[i], "x", 1, MSG_NOSIGNAL) == 1)
				continue;
			if (fds[i] != -1)
				close(fds[i]);
			fds[i] = client_connect(crowd->port);
			if (fds[i] != -1)
				send(fds[i], crowd->begins, strlen(crowd->begins), MSG_NOSIGNAL);
		}
		poll(NULL, 0, 200);
	}
	for (int i = 0; i < SLOW; i++)
		if (fds[i] != -1)
			close(fds[i]);
	return NULL;
}

/* Sends without a pause. */
static void *
stream(void *argument)
{
	static const char much[1 << 16];
	struct crowd *crowd = argument;

	while (!__atomic_load_n(&crowd->is_over, __ATOMIC_RELAXED)) {
		int fd = client_connect(crowd->port);

		while (fd != -1 && send(fd, much, sizeof much, MSG_NOSIGNAL) > 0 &&
			!__atomic_load_n(&crowd->is_over, __ATOMIC_RELAXED))
			continue;
		if (fd != -1)
			close(fd);
	}
	return NULL;
}

/* Whether /livez says 200 within its usual time; puts what it says into answer. */
static bool
is_answered(char *answer, size_t size)
{
	int fd = ask("/livez");
	ssize_t length;

	poll(NULL, 0, 200);
	length = recv(fd, answer, size - 1, 0);
	close(fd);
	answer[length > 0 ? length : 0] = '\0';
	return strstr(answer, " 200 ") != NULL;
}

/* Asserts, again and again, that another client is answered. It has failed if that happens twice in
 * succession, as for any probe: one that has connected, but has not sent its request when a crowd
 * of its own address arrives, gives way to the crowd like the others. */
static void
assert_answers_beside(struct crowd *crowd, void *(*client)(void *crowd), int agent)
{
	char answer[512] = "", again[512] = "";
	int fine = 0, said = 0;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, client, crowd), 0);
	for (int i = 0; i < 10; i++) {
		fine += is_answered(answer, sizeof answer) || is_answered(again, sizeof again);
		/* That hubs which wait for the CPU are not ready is an answer, too. */
		said += agent_says(agent, "");
		/* No further progress means none at all. */
		if (fine <= i || said <= i)
			break;
	}
	__atomic_store_n(&crowd->is_over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_assert_eq(fine, 10, "/livez says '%s', then '%s', when %d were answered", answer, again,
		fine);
	cr_assert_eq(said, 10, "the agent says nothing when %d were answered", said);
}

Test(probes, are_answered_beside_clients_that_are_slow_or_flood)
{
	struct crowd headers = {.begins = "GET /livez HTTP/1.1\r\nHost: localhost\r\nA: "};
	struct crowd bodies = {.begins = "POST /drain HTTP/1.1\r\nHost: localhost\r\n"
					 "Content-Length: 1000000000\r\n\r\n"};
	struct crowd askers = {.begins = ""}, streams = {.begins = ""};
	int port = server_lasting_port();
	char agent[48];

	snprintf(agent, sizeof agent, "--agent=127.0.0.1:%d", port);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", agent, NULL));
	headers.port = bodies.port = server.admin;
	askers.port = streams.port = port;
	assert_answers_beside(&streams, stream, port);
	assert_answers_beside(&askers, drip, port);
	assert_answers_beside(&headers, drip, port);
	assert_answers_beside(&bodies, drip, port);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* A third of the manager's timeout may be very long between two messages: the watchdog gets one
 * each second all the same. */
Test(probes, the_watchdog_hears_each_second_however_long_it_would_wait)
{
	setenv("WATCHDOG_USEC", "3600000000", 1);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", NULL));
	cr_assert(manager_hears(manager, "WATCHDOG=1", 20));
	manager_forget(manager);
	cr_assert(manager_hears(manager, "WATCHDOG=1", 20));
}

/* A service manager that listens to all processes of a service would take the message for the new
 * master's. */
Test(probes, a_former_master_that_drains_does_not_speak_for_the_new_one)
{
	int client;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--drain-timeout=300", NULL));
	client = client_connect(server.program.port);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_eq(kill(server.pid, SIGSTOP), 0);
	/* Discards what was sent before the new master stopped. */
	manager_hears(manager, "nothing like this", 1);
	cr_assert_not(manager_hears(manager, "WATCHDOG=1", 2));
	cr_assert_eq(kill(server.pid, SIGCONT), 0);
	cr_assert(manager_hears(manager, "WATCHDOG=1", 20));
	cr_assert(client_exchange(client, "hello\n", "HELLO\n"), "the former one drains");
	close(client);
}

/* A master that is killed takes nothing with it: its workers serve open connections to the end, and
 * nothing is in the way of the next master. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"
#include "tests/support/witness.h"

static struct server server; /* the server that is asked: first the former, then the next */
static struct program next;
static char folder[FOLDER_SIZE];
static pid_t workers[2];
static int port, agent;

static void
end(void)
{
	program_end(&next);
	program_end(&server.program);
	server_clean(&server);
	folder_remove(folder);
}

TestSuite(orphans, .fini = end, .timeout = 600);

/* ---- two servers, one after the other ---- */

/* Starts a server with everything that a server can open: the same for the former and the next. */
static void
start(struct program *program, const char *name)
{
	char text[7][FOLDER_SIZE + 64];
	char *argv[] = {program_path(name), "-p2", "-t2", text[0], text[1], text[2], text[3],
		text[4], text[5], text[6], NULL};

	snprintf(text[0], sizeof text[0], "--listen=127.0.0.1:%d", port);
	snprintf(text[1], sizeof text[1], "--listen=unix:%s/path", folder);
	/* Only hubbub-echo answers datagrams. */
	if (strcmp(name, "hubbub-echo") == 0)
		snprintf(text[2], sizeof text[2], "--listen=udp:127.0.0.1:%d", port);
	else
		snprintf(text[2], sizeof text[2], "--log-level=info");
	snprintf(text[3], sizeof text[3], "--admin=127.0.0.1:%d", server.admin);
	snprintf(text[4], sizeof text[4], "--agent=127.0.0.1:%d", agent);
	snprintf(text[5], sizeof text[5], "--control=%s", server.control);
	snprintf(text[6], sizeof text[6], "--pidfile=%s/pid", folder);
	cr_assert(program_start(program, argv, 0));
	cr_assert(program_expect(program, ", pid ", 60), "%s", program->text);
	server.pid = program->pid;
}

static void
start_former(const char *name)
{
	cr_assert(folder_make(folder));
	server = (struct server){.admin = server_lasting_port()};
	port = server_lasting_port();
	agent = server_lasting_port();
	snprintf(server.control, sizeof server.control, "%s/control", folder);
	start(&server.program, name);
	server.program.port = port;
	cr_assert_eq(program_children(server.pid, workers, 2), 2);
}

/* The killed master stays a zombie, as under a parent that does not reap it. */
static void
kill_former(void)
{
	siginfo_t status;

	kill(server.program.pid, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)server.program.pid, &status, WEXITED | WNOWAIT), 0);
}

static bool
are_workers_gone(void *unused)
{
	(void)unused;
	return program_is_gone(&workers[0]) && program_is_gone(&workers[1]);
}

/* ---- every door ---- */

static void
expect_every_door(void)
{
	char path[FOLDER_SIZE + 16], output[2048];
	int fds[3], fd, pid;
	FILE *file;

	snprintf(path, sizeof path, "%s/path", folder);
	fds[0] = client_connect(port);
	fds[1] = client_connect_path(path);
	fds[2] = client_connect_udp(port);
	for (int i = 0; i < 3; i++) {
		cr_assert(client_exchange(fds[i], "new", "NEW"), "way %d", i);
		close(fds[i]);
	}
	cr_assert_eq(server_ctl(&server, "status", NULL, output, sizeof output), 0, "%s", output);
	cr_assert_eq(server_number(&server, "pid"), (long)next.pid);
	fd = client_connect(agent);
	cr_assert_neq(fd, -1);
	close(fd);
	snprintf(path, sizeof path, "%s/pid", folder);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file, "%d", &pid), 1);
	fclose(file);
	cr_assert_eq(pid, next.pid);
}

/* ---- the promise ---- */

static uint64_t *exchanges; /* of the lasting witness */

/* Whether the lasting witness has exchanged a thousand messages since. */
static bool
have_gone_on(void *before)
{
	return __atomic_load_n(exchanges, __ATOMIC_RELAXED) > *(uint64_t *)before + 1000;
}

Test(orphans, a_killed_master_takes_nothing_with_it)
{
	struct witness lasting, passing;
	uint64_t before, unlucky;

	start_former("hubbub-echo");
	lasting = (struct witness){
		.target.port = port, .lasting = 200, .pause = 0.05, .limit = 20 * CLOCK_SECOND};
	passing = (struct witness){.target.port = port, .rate = 300, .limit = 20 * CLOCK_SECOND};
	witness_start(&lasting);
	witness_start(&passing);
	poll(NULL, 0, 500);
	kill_former();
	start(&next, "hubbub-echo");
	expect_every_door();
	exchanges = &lasting.result.exchanges;
	before = *exchanges;
	cr_assert(wait_until(have_gone_on, &before, 30));
	/* A worker without connections has left. */
	cr_assert_not(are_workers_gone(NULL));
	witness_stop(&passing);
	witness_stop(&lasting);
	fprintf(stderr, "lasting: %s\n", witness_text(&lasting));
	/* On a slow machine a connection may rest so long that it is ended as idle, and comes
	 * again: it may be refused, and reset in the queue of a worker that no longer accepts. */
	unlucky = lasting.result.refused + (lasting.result.young < lasting.result.reset
							   ? lasting.result.young
							   : lasting.result.reset);
	cr_assert_eq(witness_failures(&lasting) - unlucky, 0, "%s", witness_text(&lasting));
	cr_assert(unlucky == 0 || lasting.result.ended > 0, "%s", witness_text(&lasting));
	fprintf(stderr, "passing: %s\n", witness_text(&passing));
	/* In between no process listened; but every client that was accepted was served. */
	cr_assert_eq(
		passing.result.wrong + passing.result.unanswered, 0, "%s", witness_text(&passing));
	cr_assert(wait_until(are_workers_gone, NULL, 10), "they serve nobody, and stay");
	cr_assert_eq(program_stop(&next, SIGTERM, 20), 0, "%s", next.text);
}

static bool
is_one_hung(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.hangs") > 0;
}

Test(orphans, a_stuck_worker_whose_master_is_dead_is_in_nobodys_way_for_long)
{
	int stuck;

	start_former("naughty");
	stuck = client_connect(server.program.port);
	cr_assert_eq(send(stuck, "spin 1000000\n", 13, 0), 13);
	/* Then the master has taken its sockets out of the group: the kernel does not show who
	 * holds them. */
	cr_assert(wait_until(is_one_hung, NULL, 60));
	kill_former();
	start(&next, "naughty");
	cr_assert(wait_until(are_workers_gone, NULL, 10));
	cr_assert_not_null(strstr(next.text, "whose master is dead; waiting"), "%s", next.text);
	close(stuck);
	cr_assert_eq(program_stop(&next, SIGTERM, 20), 0, "%s", next.text);
}

/* ---- during an upgrade ---- */

enum { LIMIT = 10, OLD = 6 };

static bool
are_old_accepted(void *unused)
{
	(void)unused;
	return server_number(&server, "connections") == OLD;
}

/* Closes the clients that have been answered: waits for as many as there should be, and then for
 * longer than the new master takes to look twice whether the former's workers live, for one too
 * many. Returns how many there were. */
static int
close_answered(struct pollfd *clients, int wanted)
{
	int count = 0, patience = (int)(program_patience(10) * 1000);

	while (poll(clients, LIMIT, count < wanted ? patience : 2500) > 0)
		for (int i = 0; i < LIMIT; i++) {
			char byte;

			if (clients[i].revents == 0)
				continue;
			count += recv(clients[i].fd, &byte, 1, 0) == 1 && byte == 'A';
			/* Closed later: its permit must not be the next client's. */
			clients[i].fd = -1 - clients[i].fd;
		}
	return count;
}

Test(orphans, count_against_the_limit_until_they_end_and_no_longer)
{
	struct pollfd clients[LIMIT];
	int old[OLD];

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--max-connections=10", NULL),
		"%s", server.program.text);
	cr_assert_eq(program_children(server.pid, workers, 2), 1);
	/* The clients have sent nothing, so they are not idle. */
	for (int i = 0; i < OLD; i++)
		old[i] = client_connect(server.program.port);
	cr_assert(wait_until(are_old_accepted, NULL, 10));
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0, "%s", server.program.text);
	server.pid = (pid_t)server_number(&server, "pid");
	kill_former();
	for (int i = 0; i < LIMIT; i++) {
		clients[i] = (struct pollfd){client_connect(server.program.port), POLLIN, 0};
		cr_assert_eq(send(clients[i].fd, "a", 1, 0), 1);
	}
	cr_assert_eq(close_answered(clients, LIMIT - OLD), LIMIT - OLD);
	for (int i = 0; i < OLD; i++) {
		cr_assert(client_exchange(old[i], "old", "OLD"), "client %d", i);
		close(old[i]);
	}
	cr_assert_eq(close_answered(clients, OLD), OLD);
	workers[1] = workers[0];
	cr_assert(wait_until(are_workers_gone, NULL, 10));
	cr_assert_eq(server_number(&server, "totals.lost"), 0);
	for (int i = 0; i < LIMIT; i++)
		close(-1 - clients[i].fd);
	cr_assert_eq(server_end(&server, 40), 0);
}

/* The end of a server while clients wait in its queues, for a permit or a file: none is reset. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

#define HOLDERS 10
#define QUEUED 50

static struct server server;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(ending, .fini = end, .timeout = 600);

/* Clients that have a connection, and clients that wait in a queue for one. */
struct crowd {
	int holders[HOLDERS], queued[QUEUED];
	int (*connect)(void);
	int served, ended, reset;
};

static int
connect_tcp(void)
{
	return client_connect(server.program.port);
}

static char path[108];

static int
connect_path(void)
{
	return client_connect_path(path);
}

/* Takes all the server's connections, which draining does not end as idle, since the service says
 * that it is busy with them; fifty clients more have sent something. */
static void
fill(struct crowd *crowd)
{
	for (int i = 0; i < HOLDERS; i++) {
		crowd->holders[i] = crowd->connect();
		cr_assert(client_exchange(crowd->holders[i], "busy\n", "yes\n"));
	}
	for (int i = 0; i < QUEUED; i++) {
		crowd->queued[i] = crowd->connect();
		cr_assert_eq(send(crowd->queued[i], "queued\n", 7, 0), 7);
	}
}

static void
leave(struct crowd *crowd)
{
	for (int i = 0; i < HOLDERS; i++) {
		close(crowd->holders[i]);
		crowd->holders[i] = -1;
	}
}

/* Sees how it ends for each queued client. A client that is served leaves, so that another gets its
 * place. */
static void
see_all(struct crowd *crowd)
{
	for (int left = QUEUED; left > 0;) {
		struct pollfd queries[QUEUED];

		for (int i = 0; i < QUEUED; i++)
			queries[i] = (struct pollfd){crowd->queued[i], POLLIN, 0};
		cr_assert_gt(poll(queries, QUEUED, 60000), 0, "%d hear nothing", left);
		for (int i = 0; i < QUEUED; i++) {
			char text[16];
			ssize_t got;

			if (queries[i].revents == 0)
				continue;
			got = recv(crowd->queued[i], text, sizeof text, 0);
			crowd->served += got == 7 && memcmp(text, "QUEUED\n", 7) == 0;
			crowd->ended += got == 0;
			crowd->reset += got == -1;
			close(crowd->queued[i]);
			crowd->queued[i] = -1;
			left--;
		}
	}
}

static void
all_are_served_as_others_leave(struct crowd *crowd)
{
	fill(crowd);
	kill(server.pid, SIGTERM);
	/* Long after a server that served the queues at once would have reset the rest. */
	poll(NULL, 0, 800);
	leave(crowd);
	see_all(crowd);
	cr_assert_eq(crowd->served, QUEUED, "%d served, %d ended, %d reset", crowd->served,
		crowd->ended, crowd->reset);
	cr_assert_eq(program_wait(&server.program, 60), 0);
}

static void
none_is_reset_at_the_deadline(struct crowd *crowd)
{
	fill(crowd);
	kill(server.pid, SIGTERM);
	see_all(crowd);
	cr_assert_eq(crowd->reset, 0, "%d served, %d ended, %d reset", crowd->served, crowd->ended,
		crowd->reset);
	leave(crowd);
	cr_assert_eq(program_wait(&server.program, 60), 0);
}

Test(ending, those_who_wait_for_a_permit_are_served_as_others_leave)
{
	struct crowd crowd = {.connect = connect_tcp};

	cr_assert(server_start(&server, "waits", "2", "2", "--max-connections=10", NULL));
	all_are_served_as_others_leave(&crowd);
}

Test(ending, at_the_deadline_those_who_wait_for_a_permit_see_an_end)
{
	struct crowd crowd = {.connect = connect_tcp};

	cr_assert(server_start(
		&server, "waits", "2", "2", "--max-connections=10", "--drain-timeout=2", NULL));
	none_is_reset_at_the_deadline(&crowd);
	cr_assert(program_expect(&server.program, "still waited for a connection at the end", 5));
}

Test(ending, without_a_deadline_they_see_an_end_at_once)
{
	struct crowd crowd = {.connect = connect_tcp};

	cr_assert(server_start(
		&server, "waits", "1", "2", "--max-connections=10", "--drain-timeout=0", NULL));
	none_is_reset_at_the_deadline(&crowd);
}

Test(ending, of_a_unix_socket_is_the_same)
{
	struct crowd crowd = {.connect = connect_path};
	char option[128];

	snprintf(path, sizeof path, "/tmp/hubbub-ending-%d", (int)getpid());
	snprintf(option, sizeof option, "--listen=unix:%s", path);
	cr_assert(server_start(&server, "waits", "2", "2", "--max-connections=10", option, NULL));
	all_are_served_as_others_leave(&crowd);
}

Test(ending, of_a_unix_socket_at_the_deadline_is_the_same)
{
	struct crowd crowd = {.connect = connect_path};
	char option[128];

	snprintf(path, sizeof path, "/tmp/hubbub-ending-%d", (int)getpid());
	snprintf(option, sizeof option, "--listen=unix:%s", path);
	cr_assert(server_start(&server, "waits", "2", "2", "--max-connections=10",
		"--drain-timeout=2", option, NULL));
	none_is_reset_at_the_deadline(&crowd);
}

/* Permits of a draining generation reach the clients that wait at its successor, though that
 * drains, too. */
Test(ending, after_a_reload_is_the_same)
{
	struct crowd crowd = {.connect = connect_tcp};

	cr_assert(server_start(&server, "waits", "2", "1", "--max-connections=10", NULL));
	fill(&crowd);
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	kill(server.pid, SIGTERM);
	poll(NULL, 0, 800);
	leave(&crowd);
	see_all(&crowd);
	cr_assert_eq(crowd.served, QUEUED, "%d served, %d ended, %d reset", crowd.served,
		crowd.ended, crowd.reset);
	cr_assert_eq(program_wait(&server.program, 60), 0);
}

/* The connections that a killed worker had accepted are lost; each queued client still gets a
 * proper end. */
Test(ending, a_worker_that_is_killed_meanwhile_resets_none_who_waits)
{
	struct crowd crowd = {.connect = connect_tcp};
	pid_t worker;

	cr_assert(server_start(
		&server, "waits", "1", "1", "--max-connections=10", "--drain-timeout=20", NULL));
	fill(&crowd);
	worker = server_worker(&server, 0);
	cr_assert_gt(worker, 0);
	kill(server.pid, SIGTERM);
	poll(NULL, 0, 500);
	kill(worker, SIGKILL);
	see_all(&crowd);
	cr_assert_eq(crowd.reset, 0, "%d served, %d ended, %d reset", crowd.served, crowd.ended,
		crowd.reset);
	leave(&crowd);
	cr_assert_eq(program_wait(&server.program, 60), 0);
}

struct queues {
	json_int_t at[2]; /* each worker's, measured in one tick of the master */
};

static bool
hold_all(void *context)
{
	struct queues *queues = context;
	json_t *state = server_stats(&server);
	const json_t *workers = json_object_get(state, "workers");

	for (size_t i = 0; i < 2; i++) {
		const json_t *hubs = json_object_get(json_array_get(workers, i), "hubs");

		queues->at[i] =
			json_integer_value(json_object_get(json_array_get(hubs, 0), "queue"));
	}
	json_decref(state);
	return queues->at[0] + queues->at[1] == QUEUED;
}

/* The worker at which most of the clients are queued. */
static pid_t
fullest_worker(void)
{
	struct queues queues;

	cr_assert(wait_until(hold_all, &queues, 20), "not all are queued");
	return server_worker(&server, queues.at[1] > queues.at[0]);
}

/* Closes all holders but one whose worker lives. Returns that one. */
static int
leave_but_one(struct crowd *crowd)
{
	struct pollfd queries[HOLDERS];
	char byte;
	int stays = -1;

	for (int i = 0; i < HOLDERS; i++) {
		send(crowd->holders[i], "y\n", 2, MSG_NOSIGNAL);
		queries[i] = (struct pollfd){crowd->holders[i], POLLIN, 0};
	}
	while (stays == -1) {
		cr_assert_gt(poll(queries, HOLDERS, 60000), 0, "nobody is answered");
		for (int i = 0; i < HOLDERS; i++) {
			if (queries[i].revents == 0)
				continue;
			if (recv(queries[i].fd, &byte, 1, 0) == 1)
				stays = i;
			/* Not this one: its worker is dead. */
			queries[i].fd = -1;
		}
	}
	for (int i = 0; i < HOLDERS; i++)
		if (i != stays)
			close(crowd->holders[i]);
	return crowd->holders[stays];
}

/* In a drain, one of two workers gets the signal harm; the other one serves its queue. */
static void
another_serves(int harm)
{
	struct crowd crowd = {.connect = connect_tcp};
	pid_t worker;
	int last;

	cr_assert(server_start(
		&server, "waits", "2", "1", "--max-connections=10", "--drain-timeout=300", NULL));
	fill(&crowd);
	worker = fullest_worker();
	cr_assert_gt(worker, 0);
	kill(server.pid, SIGTERM);
	poll(NULL, 0, 500);
	kill(worker, harm);
	last = leave_but_one(&crowd);
	see_all(&crowd);
	cr_assert_eq(crowd.served, QUEUED, "%d served, %d ended, %d reset", crowd.served,
		crowd.ended, crowd.reset);
	close(last);
	kill(worker, SIGCONT);
	cr_assert_eq(program_wait(&server.program, 60), 0);
}

Test(ending, those_who_wait_at_a_worker_that_is_killed_meanwhile_are_served_by_another)
{
	another_serves(SIGKILL);
}

Test(ending, those_who_wait_at_a_worker_that_hangs_meanwhile_are_served_by_another)
{
	another_serves(SIGSTOP);
}

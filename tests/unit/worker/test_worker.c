/* A whole worker in this process's child, with the test as its master. */
#include "worker/worker.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/worker/child.h"
#include "worker/channel.h"

Test(worker, accepts_only_when_told_to_and_counts)
{
	struct child child = {0};
	int client;

	child_start(&child, child_serve_once, 0);
	client = child_connect(&child);
	cr_assert(child_hear(&child, CHANNEL_READY, 1));
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, accepted)), 0);
	child_tell(&child, CHANNEL_ACCEPT, 0);
	cr_assert(child_exchange(client));
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, accepted)), 1);
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, hub.bytes_received)), 1);
	close(client);
	child_tell(&child, CHANNEL_STOP, 0);
	cr_assert_eq(child_exit(&child), 0);
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, closed)), 1);
}

/* A master that is stopped does not read, and what it is told once must reach it later. */
Test(worker, the_master_is_told_again_until_it_knows)
{
	struct child child = {.is_full = true};

	child_start(&child, child_serve_once, 0);
	/* Long enough to have started. */
	poll(NULL, 0, 500);
	child_accept(&child);
	child_tell(&child, CHANNEL_STOP, 0);
	cr_assert_eq(child_exit(&child), 0);
}

Test(worker, a_file_that_found_no_room_is_said_to_be_missed_again_until_the_master_knows)
{
	struct child child = {.is_full = true};

	child_start(&child, child_serve_once, 0);
	poll(NULL, 0, 500);
	child_tell(&child, CHANNEL_REOPEN, 0);
	child_tell(&child, CHANNEL_DUMP, 0);
	poll(NULL, 0, 500);
	cr_assert(child_hear(&child, CHANNEL_DUMP_MISSED, 1));
	cr_assert(child_hear(&child, CHANNEL_REOPEN_MISSED, 1));
	child_tell(&child, CHANNEL_STOP, 0);
	cr_assert_eq(child_exit(&child), 0);
}

Test(worker, draining_serves_what_is_queued_and_open_and_then_leaves)
{
	struct child child = {0};
	int clients[20];

	child_start(&child, child_serve_once, 0);
	child_accept(&child);
	/* Some are accepted, some may still be queued when the order comes. */
	for (int i = 0; i < 20; i++)
		clients[i] = child_connect(&child);
	child_tell(&child, CHANNEL_DRAIN, 0);
	cr_assert(child_hear(&child, CHANNEL_DRAINED, CHILD_THREADS));
	for (int i = 0; i < 20; i++)
		cr_assert(child_exchange(clients[i]), "client %d is lost", i);
	cr_assert_eq(child_exit(&child), 0);
}

Test(worker, stop_closes_open_connections)
{
	struct child child = {0};
	int client;
	char byte;

	child_start(&child, child_serve_once, 0);
	child_accept(&child);
	client = child_connect(&child);
	while (child_sum(&child, offsetof(struct worker_row, accepted)) == 0)
		poll(NULL, 0, 1);
	child_tell(&child, CHANNEL_STOP, 0);
	cr_assert_eq(child_exit(&child), 0);
	cr_assert_eq(recv(client, &byte, 1, 0), 0);
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, closed)), 1);
}

Test(worker, out_of_files_it_waits_without_spinning_and_goes_on_as_connections_close)
{
	struct child child = {0};
	struct rusage usage;
	int clients[60];
	uint64_t errors;

	child_start(&child, child_hold, 40);
	child_accept(&child);
	for (int i = 0; i < 60; i++)
		clients[i] = child_connect(&child);
	while ((errors = child_sum(&child, offsetof(struct worker_row, accept_limited))) < 3)
		poll(NULL, 0, 1);
	/* Those that were accepted close; the others, queued, get their turn. */
	for (int i = 0; i < 60; i++) {
		struct timeval limit = {0, 50000};

		setsockopt(clients[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		if (child_exchange(clients[i])) {
			close(clients[i]);
			clients[i] = -1;
		}
	}
	for (int i = 0; i < 60; i++) {
		struct timeval limit = {10, 0};
		char byte;

		if (clients[i] == -1)
			continue;
		setsockopt(clients[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		cr_assert_eq(recv(clients[i], &byte, 1, 0), 1, "client %d is never served", i);
		close(clients[i]);
	}
	child_tell(&child, CHANNEL_STOP, 0);
	cr_assert_eq(child_exit(&child), 0);
	getrusage(RUSAGE_CHILDREN, &usage);
	cr_assert_lt(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec, 2, "it has spun");
	cr_assert_lt(errors, 10000);
}

static ssize_t
answer_slowly(struct hub_datagram *datagram, size_t size, void *context)
{
	static const struct timespec step = {0, 30000000};

	(void)size, (void)context;
	nanosleep(&step, NULL);
	return (ssize_t)datagram->length;
}

/* Those that are queued, two dozen, are taken out at once; what else the hub has to do does not
 * wait for all. */
Test(worker, slow_answers_to_datagrams_take_turns, .timeout = 60)
{
	struct child child = {.address = {.sin_family = AF_INET}};
	socklen_t length = sizeof child.address;
	int client = socket(AF_INET, SOCK_DGRAM, 0);

	child.sockets[0] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	child.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(child.sockets[0], (struct sockaddr *)&child.address, length);
	getsockname(child.sockets[0], (struct sockaddr *)&child.address, &length);
	for (int i = 0; i < 24; i++)
		sendto(client, "x", 1, 0, (struct sockaddr *)&child.address, length);
	child_launch(&child,
		(struct worker_heritage){
			.serve = child_serve_once, .answer = answer_slowly, .threads = 1},
		0);
	child_accept(&child);
	while (__atomic_load_n(&child.rows->replies, __ATOMIC_RELAXED) < 24)
		poll(NULL, 0, 1);
	/* It remembers the longest, and forgets an eighth of it ten times a second. */
	cr_assert_lt(__atomic_load_n(&child.rows->lag, __ATOMIC_RELAXED), 300 * HUB_MILLISECOND);
	child_tell(&child, CHANNEL_STOP, 0);
	cr_assert_eq(child_exit(&child), 0);
	close(client);
}

/* Takes the record that it is given for its own. */
static ssize_t
answer_and_forget(struct hub_datagram *datagram, size_t size, void *context)
{
	(void)size, (void)context;
	memcpy(datagram->data, "answer", 6);
	datagram->data = NULL;
	datagram->address_length = 0;
	return 6;
}

Test(worker, a_service_may_change_the_record_of_a_datagram, .timeout = 60)
{
	struct worker_heritage heritage = {.serve = child_serve_once,
		.answer = answer_and_forget,
		.threads = 1,
		.settings.loop_limit = 10};
	struct child child = {.address = {.sin_family = AF_INET}};
	socklen_t length = sizeof child.address;
	int client = socket(AF_INET, SOCK_DGRAM, 0);
	struct timeval limit = {10, 0};
	char answer[16];

	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	child.sockets[0] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	child.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(child.sockets[0], (struct sockaddr *)&child.address, length);
	getsockname(child.sockets[0], (struct sockaddr *)&child.address, &length);
	child_launch(&child, heritage, 0);
	child_accept(&child);
	sendto(client, "x", 1, 0, (struct sockaddr *)&child.address, length);
	cr_assert_eq(recv(client, answer, sizeof answer, 0), 6, "it is not answered");
	child_tell(&child, CHANNEL_STOP, 0);
	cr_assert_eq(child_exit(&child), 0);
	close(client);
}

/* ---- without memory ---- */

/* A sanitizer cannot be without. */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
static void *
sleep_on(void *unused)
{
	(void)unused;
	hub_sleep(HUB_FOREVER);
	return NULL;
}

/* After the first byte no coroutine can be made any more. */
static void
starve(int client, void *context)
{
	struct rlimit none = {0, 0};
	char byte;

	if (hub_recv(client, &byte, 1, 0) != 1)
		return;
	setrlimit(RLIMIT_AS, &none);
	for (struct hub_coroutine *made; (made = hub_spawn(sleep_on, NULL)) != NULL;)
		hub_detach(made);
	hub_send(client, &byte, 1, 0);
	child_hold(client, context);
}

Test(worker, without_memory_it_drains_all_the_same, .timeout = 60)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	struct channel_message drain = {.kind = CHANNEL_DRAIN, .value = HUB_SECOND};
	int client;
	char byte;

	/* The kernel may give the hub so little time that the watchdog tells of that; and jemalloc
	 * (5.3) crashes a thread whose first allocation finds no memory. */
	hub_watchdog(0);
	child_start(&child, starve, 0);
	child_accept(&child);
	client = child_connect(&child);
	cr_assert(child_exchange(client));
	cr_assert_eq(channel_send(child.channel, &drain, -1), 0);
	cr_assert_eq(recv(client, &byte, 1, 0), 0, "it is not ended");
	cr_assert_eq(child_exit(&child), 0);
}
#endif

/* ---- the queue of a dead hub ---- */

static void
send_listener(struct child *child, int listener)
{
	struct channel_message adopt = {.kind = CHANNEL_ADOPT, .count = UINT32_MAX};

	cr_assert_eq(channel_send(child->channel, &adopt, listener), 0);
}

/* A listener beyond the worker's own, and clients who have sent a byte there. */
static int
queue_elsewhere(int *clients, int count)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct child other = {.address = {.sin_family = AF_INET}};
	socklen_t length = sizeof other.address;

	other.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)&other.address, length);
	listen(listener, 128);
	getsockname(listener, (struct sockaddr *)&other.address, &length);
	for (int i = 0; i < count; i++) {
		clients[i] = child_connect(&other);
		cr_assert_eq(send(clients[i], "a", 1, MSG_NOSIGNAL), 1);
	}
	return listener;
}

static bool
hears_end(int client)
{
	char byte;

	return recv(client, &byte, 1, 0) == 0;
}

/* It has closed its own listeners, and serves only one connection more. */
Test(worker, that_drains_for_good_serves_the_queue_of_a_dead_hub_until_it_is_empty)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int clients[20], listener, open;
	char byte;

	child_start(&child, child_hold, 0);
	child_accept(&child);
	open = child_connect(&child);
	cr_assert(child_exchange(open));
	child_tell(&child, CHANNEL_DRAIN, 0);
	cr_assert(child_hear(&child, CHANNEL_DRAINED, CHILD_THREADS));
	listener = queue_elsewhere(clients, 20);
	for (int i = 0; i < CHILD_THREADS; i++)
		__atomic_store_n(&child.rows[i].permits, i == 0, __ATOMIC_RELAXED);
	/* As at each tick of the master's. */
	send_listener(&child, listener);
	send_listener(&child, listener);
	close(listener);
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(recv(clients[i], &byte, 1, 0), 1, "client %d is lost", i);
		/* The end of one connection is the beginning of the next. */
		close(clients[i]);
	}
	close(open);
	cr_assert_eq(child_exit(&child), 0);
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, accepted)), 21);
}

/* Answers nothing, so that its connections are not idle. */
static void
take_in(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1)
		continue;
}

/* The only connection of the worker, at its second hub. */
static int
connect_to_second(const struct child *child)
{
	for (;;) {
		uint64_t before = child_sum(child, offsetof(struct worker_row, accepted));
		int fd = child_connect(child);

		while (child_sum(child, offsetof(struct worker_row, accepted)) == before)
			poll(NULL, 0, 1);
		if (counters_open(&child->rows[1]) > 0)
			return fd;
		close(fd);
		while (counters_open(&child->rows[0]) > 0)
			poll(NULL, 0, 1);
	}
}

Test(worker, waiting_for_the_last_connection_from_there_costs_little, .timeout = 60)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int client, listener, open;
	uint64_t accepted;

	child_start(&child, take_in, 0);
	child_accept(&child);
	open = connect_to_second(&child);
	accepted = child_sum(&child, offsetof(struct worker_row, accepted));
	child_tell(&child, CHANNEL_DRAIN, 0);
	cr_assert(child_hear(&child, CHANNEL_DRAINED, CHILD_THREADS));
	/* For the first hub to say that it is idle. */
	poll(NULL, 0, 300);
	listener = queue_elsewhere(&client, 1);
	send_listener(&child, listener);
	close(listener);
	while (child_sum(&child, offsetof(struct worker_row, accepted)) == accepted)
		poll(NULL, 0, 1);
	close(open);
	cr_assert_lt(child_polls(&child), 90 * CHILD_THREADS);
	close(client);
	cr_assert_eq(child_exit(&child), 0);
}

Test(worker, that_is_to_stop_lets_those_go_who_still_wait_there)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int clients[20], listener, open;

	child_start(&child, child_hold, 0);
	child_accept(&child);
	open = child_connect(&child);
	cr_assert(child_exchange(open));
	child_tell(&child, CHANNEL_DRAIN, 0);
	cr_assert(child_hear(&child, CHANNEL_DRAINED, CHILD_THREADS));
	for (int i = 0; i < CHILD_THREADS; i++)
		__atomic_store_n(&child.rows[i].permits, 0, __ATOMIC_RELAXED);
	listener = queue_elsewhere(clients, 20);
	send_listener(&child, listener);
	close(listener);
	child_tell(&child, CHANNEL_STOP, 0);
	for (int i = 0; i < 20; i++)
		cr_assert(hears_end(clients[i]), "client %d is reset", i);
	cr_assert_eq(child_exit(&child), 0);
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, dismissed)), 20);
}

/* Others accept there: it has no part in the queue. */
Test(worker, that_hands_over_adopts_nothing)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int client, listener, open;

	child_start(&child, child_hold, 0);
	child_accept(&child);
	open = child_connect(&child);
	cr_assert(child_exchange(open));
	child_tell(&child, CHANNEL_HANDOVER, 0);
	cr_assert(child_hear(&child, CHANNEL_DRAINED, CHILD_THREADS));
	listener = queue_elsewhere(&client, 1);
	send_listener(&child, listener);
	close(open);
	cr_assert_eq(child_exit(&child), 0);
	cr_assert_eq(poll(&(struct pollfd){listener, POLLIN, 0}, 1, 0), 1, "it is gone");
	close(listener);
	close(client);
}

/* One thread and one epoll set drive all clients, each a small state machine of phases. The order
 * of events decides what a failure counts as: an end while an answer is due is "unanswered",
 * between two messages "ended". Clients pause longer the longer answers take, so that the load
 * never is the cause of lateness. */
#include "tests/support/witness.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/program.h"

#define SIZE 48 /* bytes of a message */
/* Passing connections that may be open at a time: beyond them none is opened. */
#define PASSING_MAX 64
/* A lasting connection rests for at least so many times as long as its last answer took. */
#define RESTS 4
/* The rate of passing connections is lowered so that, if each takes as long as the last answer of
 * all, at most so many are open at a time. */
#define PASSING_AT_ONCE 8
/* A server that ends a connection between two messages cannot know of a message that is on its way.
 * The two cross within this time on loopback, with a thread that has to be woken, or within the
 * longest time that the machine has let an answer wait, or this thread. */
#define CROSSING (20 * CLOCK_MILLISECOND)
#define CROSSED 2                      /* crossings that are excused; more are no coincidence */
#define IDLE (500 * CLOCK_MILLISECOND) /* rest after which a draining server ends a connection */

enum phase { CLOSED, CONNECTING, WAITING, RESTING };

struct client {
	struct endpoint end;
	enum phase phase;
	bool stays;
	unsigned number;
	unsigned count; /* messages */
	size_t received;
	int64_t since; /* clock at which the phase began */
	int64_t next;  /* clock at which a resting client sends */
	int64_t rest;  /* how long it rested before its last message, nanoseconds */
	char expected[SIZE + 1];
};

struct run {
	struct witness *witness;
	struct client *clients;
	unsigned count;
	int epoll;
	int64_t next_passing;
	int64_t took;  /* time that the last connect or answer took, nanoseconds */
	int64_t rests; /* clock at which the thread last went to sleep */
	int64_t slept; /* how long it did, or did not get the CPU, nanoseconds */
};

static struct witness_result *
result_of(struct run *run)
{
	return &run->witness->result;
}

static void
client_close(struct client *client)
{
	endpoint_close(&client->end);
	client->phase = CLOSED;
}

static void
note_crossing(struct run *run, const struct client *client)
{
	struct witness_result *result = result_of(run);
	int64_t most = (result->slowest > CROSSING ? result->slowest : CROSSING) + run->slept;

	if (client->received > 0 || clock_now() - client->since >= most)
		return;
	result->crossed++;
	/* The server's rest began when it sent, and ended when it looked. */
	result->rested += client->rest + most >= IDLE;
}

/* Closes a client that failed, or that the server left while an answer was due, and counts it as
 * that kind. */
static void
client_lose(struct run *run, struct client *client, uint64_t *kind)
{
	(*kind)++;
	result_of(run)->young += client->count <= 1;
	client_close(client);
}

/* Closes a client that could not connect, and counts it. */
static void
client_fail(struct run *run, struct client *client, int error)
{
	bool is_refused = error == ECONNREFUSED || error == ENOENT;

	if (!is_refused) {
		client_lose(run, client, &result_of(run)->reset);
		return;
	}
	result_of(run)->refused++;
	client_close(client);
}

static void
client_open(struct run *run, struct client *client)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};

	client->phase = CONNECTING;
	client->since = clock_now();
	client->count = 0;
	if (endpoint_open(&client->end, &run->witness->target))
		epoll_ctl(run->epoll, EPOLL_CTL_ADD, client->end.fd, &event);
	else
		client_fail(run, client, errno);
}

static void
client_speak(struct run *run, struct client *client)
{
	char message[SIZE + 1] = {0};
	/* The server may have ended the connection before this thread looked. */
	if (client->count > 0 && endpoint_has_ended(&client->end)) {
		result_of(run)->ended++;
		client_close(client);
		return;
	}
	memset(message, '.', SIZE);
	snprintf(message, sizeof message, "client %u message %u", client->number, client->count++);
	message[strlen(message)] = '.';
	message[SIZE - 1] = '\n';
	for (int i = 0; i <= SIZE; i++)
		client->expected[i] = message[i] >= 'a' && message[i] <= 'z'
					      ? (char)(message[i] - 'a' + 'A')
					      : message[i];
	client->received = 0;
	client->rest = client->phase == RESTING ? clock_now() - client->since : 0;
	client->phase = WAITING;
	client->since = clock_now();
	if (endpoint_send(&client->end, message, SIZE) != SIZE)
		client_lose(run, client, &result_of(run)->reset);
}

static void
note_time(struct run *run, const struct client *client)
{
	run->took = clock_now() - client->since;
	if (run->took > result_of(run)->slowest)
		result_of(run)->slowest = run->took;
}

/* Whether the kernel had to send the connection's first packet again. */
static bool
was_sent_again(const struct client *client)
{
	struct tcp_info info;
	socklen_t length = sizeof info;

	return getsockopt(client->end.fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	       info.tcpi_total_retrans > 0;
}

static void
client_connected(struct run *run, struct client *client)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	int result;

	if (!client->end.is_connected)
		result_of(run)->resent += was_sent_again(client);
	result = endpoint_establish(&client->end);
	if (result == -1) {
		client_fail(run, client, errno);
		return;
	}
	epoll_ctl(run->epoll, EPOLL_CTL_MOD, client->end.fd, &event);
	if (result == 0)
		return;
	note_time(run, client);
	result_of(run)->connects++;
	client_speak(run, client);
}

static void
client_answered(struct run *run, struct client *client)
{
	int64_t now = clock_now();

	note_time(run, client);
	result_of(run)->exchanges++;
	if (!client->stays) {
		client_close(client);
		return;
	}
	client->phase = RESTING;
	client->next = now + (int64_t)(run->witness->pause * (double)CLOCK_SECOND);
	if (client->next < now + RESTS * run->took)
		client->next = now + RESTS * run->took;
	client->since = now;
}

static void
client_hear(struct run *run, struct client *client)
{
	char bytes[SIZE];
	ssize_t length = endpoint_receive(&client->end, bytes, SIZE - client->received);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (client->phase == RESTING) {
		if (length == 0)
			result_of(run)->ended++;
		else if (length < 0)
			result_of(run)->reset++;
		else
			result_of(run)->wrong++;
		client_close(client);
		return;
	}
	if (length <= 0) {
		if (length == 0)
			note_crossing(run, client);
		client_lose(run, client,
			length == 0 ? &result_of(run)->unanswered : &result_of(run)->reset);
		return;
	}
	if (memcmp(bytes, client->expected + client->received, (size_t)length) != 0)
		result_of(run)->wrong++;
	client->received += (size_t)length;
	if (client->received == SIZE)
		client_answered(run, client);
}

static void
client_look(struct run *run, struct client *client, int64_t now)
{
	if (client->phase == CLOSED && client->stays) {
		client_open(run, client);
	} else if (client->phase == RESTING && now >= client->next) {
		client_speak(run, client);
	} else if ((client->phase == CONNECTING || client->phase == WAITING) &&
		   now - client->since > run->witness->limit) {
		result_of(run)->late++;
		client_close(client);
	}
}

/* The time between two passing connections. They cost the most, above all with TLS: a machine that
 * is behind gets fewer. */
static int64_t
passing_every(const struct run *run)
{
	int64_t wanted = (int64_t)((double)CLOCK_SECOND / run->witness->rate);

	return run->took / PASSING_AT_ONCE > wanted ? run->took / PASSING_AT_ONCE : wanted;
}

static void
open_passing(struct run *run, int64_t now)
{
	while (run->witness->rate > 0 && now >= run->next_passing) {
		run->next_passing += passing_every(run);
		for (unsigned i = run->witness->lasting; i < run->count; i++) {
			if (run->clients[i].phase != CLOSED)
				continue;
			client_open(run, &run->clients[i]);
			break;
		}
	}
}

static void
turn(struct run *run)
{
	struct epoll_event events[256];
	int count = epoll_wait(run->epoll, events, 256, 1);
	int64_t now = clock_now();

	run->slept = now - run->rests;

	for (int i = 0; i < count; i++) {
		struct client *client = events[i].data.ptr;

		if (client->phase == CONNECTING)
			client_connected(run, client);
		else if (client->phase != CLOSED)
			client_hear(run, client);
	}
	now = clock_now();
	for (unsigned i = 0; i < run->count; i++)
		client_look(run, &run->clients[i], now);
	open_passing(run, now);
	run->rests = clock_now();
}

static void *
run_witness(void *argument)
{
	struct run run = {.witness = argument};

	run.count = run.witness->lasting + PASSING_MAX;
	run.clients = calloc(run.count, sizeof *run.clients);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.next_passing = run.rests = clock_now();
	for (unsigned i = 0; i < run.count; i++) {
		run.clients[i].end.fd = -1;
		run.clients[i].number = i;
		run.clients[i].stays = i < run.witness->lasting;
	}
	while (!run.witness->stop)
		turn(&run);
	for (unsigned i = 0; i < run.count; i++)
		client_close(&run.clients[i]);
	close(run.epoll);
	free(run.clients);
	return NULL;
}

void
witness_start(struct witness *witness)
{
	int64_t end = clock_now() + (int64_t)program_patience(10) * CLOCK_SECOND;

	if (program_is_sanitized())
		witness->limit *= SANITIZED_PATIENCE;
	witness->result = (struct witness_result){0};
	witness->stop = false;
	pthread_create(&witness->thread, NULL, run_witness, witness);
	while (__atomic_load_n(&witness->result.exchanges, __ATOMIC_RELAXED) < witness->lasting &&
		clock_now() < end)
		poll(NULL, 0, 1);
}

void
witness_stop(struct witness *witness)
{
	witness->stop = true;
	pthread_join(witness->thread, NULL);
}

uint64_t
witness_excused(const struct witness *witness)
{
	const struct witness_result *result = &witness->result;
	uint64_t excused = result->ended > 0 ? result->crossed : result->rested;

	return excused < CROSSED ? excused : CROSSED;
}

uint64_t
witness_failures(const struct witness *witness)
{
	const struct witness_result *result = &witness->result;

	return result->refused + result->reset + result->unanswered + result->late + result->wrong -
	       witness_excused(witness);
}

const char *
witness_text(const struct witness *witness)
{
	static char text[320];
	const struct witness_result *result = &witness->result;

	snprintf(text, sizeof text,
		"%lu exchanges, %lu connects, refused %lu, reset %lu, unanswered %lu (%lu of "
		"these two never answered, %lu crossed), late %lu, resent %lu, "
		"wrong %lu, ended gracefully %lu, slowest %.1f ms",
		(unsigned long)result->exchanges, (unsigned long)result->connects,
		(unsigned long)result->refused, (unsigned long)result->reset,
		(unsigned long)result->unanswered, (unsigned long)result->young,
		(unsigned long)result->crossed, (unsigned long)result->late,
		(unsigned long)result->resent, (unsigned long)result->wrong,
		(unsigned long)result->ended, (double)result->slowest / (double)CLOCK_MILLISECOND);
	return text;
}

#include "tests/support/witness.h"

#include <arpa/inet.h>
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

#define SIZE 48
/* How many may pass at a time: who comes after them does not come. */
#define PASSING_MAX 64
/* A lasting connection rests at least that many times as long as its last answer took. */
#define RESTS 4

enum phase { CLOSED, CONNECTING, WAITING, RESTING };

struct client {
	int fd;
	enum phase phase;
	bool stays;
	unsigned number;
	unsigned count; /* messages */
	size_t received;
	int64_t since; /* of the phase */
	int64_t next;  /* when a resting one speaks */
	char expected[SIZE + 1];
};

struct run {
	struct witness *witness;
	struct client *clients;
	unsigned count;
	int epoll;
	int64_t next_passing;
};

static struct witness_result *
result_of(struct run *run)
{
	return &run->witness->result;
}

static void
client_close(struct client *client)
{
	if (client->fd != -1)
		close(client->fd);
	client->fd = -1;
	client->phase = CLOSED;
}

static void
client_open(struct run *run, struct client *client)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)run->witness->port)};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	client->phase = CONNECTING;
	client->since = clock_now();
	client->count = 0;
	connect(client->fd, (struct sockaddr *)&address, sizeof address);
	epoll_ctl(run->epoll, EPOLL_CTL_ADD, client->fd, &event);
}

/* Whether the server has ended the connection, while this thread did not get to look. */
static bool
has_ended(const struct client *client)
{
	char byte;

	return recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
client_speak(struct run *run, struct client *client)
{
	char message[SIZE + 1] = {0};
	ssize_t sent;

	if (client->count > 0 && has_ended(client)) {
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
	client->phase = WAITING;
	client->since = clock_now();
	sent = send(client->fd, message, SIZE, MSG_NOSIGNAL);
	if (sent == SIZE)
		return;
	result_of(run)->reset++;
	client_close(client);
}

static void
note_time(struct run *run, const struct client *client)
{
	int64_t took = clock_now() - client->since;

	if (took > result_of(run)->slowest)
		result_of(run)->slowest = took;
}

static void
client_connected(struct run *run, struct client *client)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	int error = 0;
	socklen_t length = sizeof error;

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0) {
		if (error == ECONNREFUSED)
			result_of(run)->refused++;
		else
			result_of(run)->reset++;
		client_close(client);
		return;
	}
	note_time(run, client);
	result_of(run)->connects++;
	epoll_ctl(run->epoll, EPOLL_CTL_MOD, client->fd, &event);
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
	if (client->next < now + RESTS * (now - client->since))
		client->next = now + RESTS * (now - client->since);
}

static void
client_hear(struct run *run, struct client *client)
{
	char bytes[SIZE];
	ssize_t length = recv(client->fd, bytes, SIZE - client->received, MSG_DONTWAIT);

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
			result_of(run)->unanswered++;
		else
			result_of(run)->reset++;
		client_close(client);
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

static void
open_passing(struct run *run, int64_t now)
{
	while (run->witness->rate > 0 && now >= run->next_passing) {
		run->next_passing += (int64_t)((double)CLOCK_SECOND / run->witness->rate);
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
	int64_t now;

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
}

static void *
run_witness(void *argument)
{
	struct run run = {.witness = argument};

	run.count = run.witness->lasting + PASSING_MAX;
	run.clients = calloc(run.count, sizeof *run.clients);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	run.next_passing = clock_now();
	for (unsigned i = 0; i < run.count; i++) {
		run.clients[i].fd = -1;
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
	int64_t end = clock_now() + 10 * CLOCK_SECOND;

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
witness_failures(const struct witness *witness)
{
	const struct witness_result *result = &witness->result;

	return result->refused + result->reset + result->unanswered + result->late + result->wrong;
}

const char *
witness_text(const struct witness *witness)
{
	static char text[256];
	const struct witness_result *result = &witness->result;

	snprintf(text, sizeof text,
		"%lu exchanges, %lu connects, refused %lu, reset %lu, unanswered %lu, late %lu, "
		"wrong %lu, ended in order %lu, slowest %.1f ms",
		(unsigned long)result->exchanges, (unsigned long)result->connects,
		(unsigned long)result->refused, (unsigned long)result->reset,
		(unsigned long)result->unanswered, (unsigned long)result->late,
		(unsigned long)result->wrong, (unsigned long)result->ended,
		(double)result->slowest / (double)CLOCK_MILLISECOND);
	return text;
}

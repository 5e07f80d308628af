#include "tests/support/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"

#define SAMPLES_MAX 2000000
#define LETTERS 26

struct client {
	int fd;
	size_t received;
	size_t sent;
	int64_t began;
	uint64_t exchanges;
	unsigned letter; /* at which its message begins */
	bool wants_out;  /* watched for room to send, too */
};

struct run {
	const struct load *load;
	struct load_result *result;
	struct client *clients;
	/* The alphabet over and over, sent in lower case, expected in upper case; each client begins
	 * at a letter of its own, so that a reply meant for another is found. */
	char *message;
	char *reply;
	char *buffer;
	int epoll;
	unsigned open;
	uint32_t *samples; /* nanoseconds */
	size_t sample_count;
};

static void
client_watch(struct run *run, struct client *client, bool wants_out)
{
	struct epoll_event event = {
		.events = wants_out ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = client};

	if (client->wants_out != wants_out)
		epoll_ctl(run->epoll, EPOLL_CTL_MOD, client->fd, &event);
	client->wants_out = wants_out;
}

static void
client_send(struct run *run, struct client *client)
{
	ssize_t sent = send(client->fd, run->message + client->letter + client->sent,
		run->load->size - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent > 0)
		client->sent += (size_t)sent;
	client_watch(run, client, client->sent < run->load->size);
}

static void
client_begin(struct run *run, struct client *client)
{
	client->received = client->sent = 0;
	client->began = clock_now();
	client_send(run, client);
}

static bool
client_connect(struct run *run, struct client *client)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)run->load->port)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->exchanges = 0;
	client->wants_out = false;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd == -1 ||
		connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0) {
		if (client->fd != -1)
			close(client->fd);
		client->fd = -1;
		run->result->refused++;
		return false;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	epoll_ctl(run->epoll, EPOLL_CTL_ADD, client->fd, &event);
	run->result->connected++;
	run->open++;
	return true;
}

static void
client_close(struct run *run, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	run->open--;
}

static void
client_broken(struct run *run, struct client *client)
{
	if (client->exchanges > 0)
		run->result->broken++;
	else
		run->result->refused++;
	client_close(run, client);
	if (run->load->reconnects && client_connect(run, client))
		client_begin(run, client);
}

static void
client_done(struct run *run, struct client *client)
{
	if (run->sample_count < SAMPLES_MAX)
		run->samples[run->sample_count++] = (uint32_t)(clock_now() - client->began);
	run->result->exchanges++;
	client->exchanges++;
	client_begin(run, client);
}

static void
client_receive(struct run *run, struct client *client)
{
	size_t left = run->load->size - client->received;
	ssize_t length = recv(client->fd, run->buffer, left, MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		client_broken(run, client);
		return;
	}
	if (memcmp(run->buffer, run->reply + client->letter + client->received, (size_t)length) !=
		0)
		run->result->wrong++;
	client->received += (size_t)length;
	if (client->received == run->load->size)
		client_done(run, client);
}

static bool
is_over(const struct run *run, int64_t deadline)
{
	const struct load *load = run->load;

	return (load->stop != NULL && *load->stop) ||
	       (load->exchanges != 0 ? run->result->exchanges >= load->exchanges
				     : clock_now() >= deadline);
}

static void
run_loop(struct run *run)
{
	struct epoll_event events[256];
	int64_t began = clock_now();
	int64_t deadline = began + (int64_t)(run->load->seconds * (double)CLOCK_SECOND);

	for (unsigned i = 0; i < run->load->connections; i++)
		if (run->clients[i].fd != -1)
			client_begin(run, &run->clients[i]);
	while (run->open > 0 && !is_over(run, deadline)) {
		int count = epoll_wait(run->epoll, events, 256, 100);

		for (int i = 0; i < count; i++) {
			struct client *client = events[i].data.ptr;

			if (client->fd == -1)
				continue;
			if (events[i].events & EPOLLOUT)
				client_send(run, client);
			if (events[i].events & ~(unsigned)EPOLLOUT)
				client_receive(run, client);
		}
	}
	run->result->seconds = (double)(clock_now() - began) / (double)CLOCK_SECOND;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void
fill_messages(struct run *run)
{
	for (size_t i = 0; i < run->load->size + LETTERS; i++) {
		run->message[i] = (char)('a' + i % LETTERS);
		run->reply[i] = (char)('A' + i % LETTERS);
	}
}

bool
load_run(const struct load *load, struct load_result *result)
{
	struct run run = {.load = load, .result = result};

	*result = (struct load_result){0};
	run.clients = calloc(load->connections, sizeof *run.clients);
	run.message = malloc(load->size + LETTERS);
	run.reply = malloc(load->size + LETTERS);
	run.buffer = malloc(load->size);
	run.samples = malloc(SAMPLES_MAX * sizeof *run.samples);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run.clients == NULL || run.message == NULL || run.reply == NULL || run.buffer == NULL ||
		run.samples == NULL || run.epoll == -1)
		abort();
	fill_messages(&run);
	for (unsigned i = 0; i < load->connections; i++) {
		run.clients[i].letter = i % LETTERS;
		client_connect(&run, &run.clients[i]);
	}
	run_loop(&run);
	for (unsigned i = 0; i < load->connections; i++)
		if (run.clients[i].fd != -1)
			client_close(&run, &run.clients[i]);
	qsort(run.samples, run.sample_count, sizeof *run.samples, compare);
	if (run.sample_count > 0) {
		result->p50 = run.samples[run.sample_count / 2] / (double)CLOCK_SECOND;
		result->p99 = run.samples[run.sample_count * 99 / 100] / (double)CLOCK_SECOND;
	}
	close(run.epoll);
	free(run.clients);
	free(run.message);
	free(run.reply);
	free(run.buffer);
	free(run.samples);
	return result->connected > 0;
}

/* One thread polls all connections, and cuts what it receives into messages of a fixed size. Each
 * message is answered as it is, until the victim comes; then the fault happens once. A stall is a
 * sleep of that thread, so everything stops with it. */
#include "tests/support/faulty.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"

#define BUFFER ((size_t)256 * 1024)

struct peer {
	int fd;
	size_t length;
	char *bytes; /* received bytes of a message that is not complete yet */
};

/* The state of the server's thread. */
struct scene {
	struct faulty *faulty;
	struct peer peers[FAULTY_CONNECTIONS];
	int count;
	int held_fd;  /* FAULTY_SWAP: connection of the reply that is held back; -1: none */
	char *held;   /* that reply */
	bool is_done; /* the fault has happened */
};

static void
reply(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* Holds a connection's reply back until another connection's message comes, and swaps the two. */
static void
swap(struct scene *scene, struct peer *peer, const char *message)
{
	size_t size = scene->faulty->size;

	if (scene->held_fd == -1) {
		scene->held_fd = peer->fd;
		memcpy(scene->held, message, size);
		return;
	}
	if (scene->held_fd == peer->fd) {
		reply(peer->fd, message, size);
		return;
	}
	reply(scene->held_fd, message, size);
	reply(peer->fd, scene->held, size);
	scene->is_done = true;
}

/* Answers the victim's message, with the fault. room is the number of bytes behind the message in
 * the buffer. Returns how many messages were answered; 0: the connection is to be closed. */
static size_t
misbehave(struct scene *scene, struct peer *peer, char *message, size_t room)
{
	size_t size = scene->faulty->size;

	scene->is_done = true;
	switch (scene->faulty->kind) {
	case FAULTY_FLIP:
		message[size / 2] ^= 1;
		break;
	case FAULTY_DROP:
		reply(peer->fd, message, size / 2);
		reply(peer->fd, message + size / 2 + 1, size - size / 2 - 1);
		return 1;
	case FAULTY_ADD:
		reply(peer->fd, message, size);
		reply(peer->fd, "+", 1);
		return 1;
	case FAULTY_DUPLICATE:
		reply(peer->fd, message, size);
		break;
	case FAULTY_REORDER:
		scene->is_done = room >= size;
		if (room >= size) {
			reply(peer->fd, message + size, size);
			reply(peer->fd, message, size);
			return 2;
		}
		break;
	case FAULTY_SWAP:
		scene->is_done = false;
		swap(scene, peer, message);
		return 1;
	case FAULTY_CLOSE:
		return 0;
	default:
		break;
	}
	reply(peer->fd, message, size);
	return 1;
}

/* Answers the complete messages in the buffer. Returns false if the connection is to be closed. */
static bool
answer(struct scene *scene, struct peer *peer)
{
	struct faulty *faulty = scene->faulty;
	size_t at = 0, used;

	while (peer->length - at >= faulty->size) {
		if (faulty->messages < FAULTY_TIMES_MAX)
			faulty->times[faulty->messages] = clock_now();
		used = 1;
		if (faulty->messages >= faulty->victim && !scene->is_done &&
			faulty->kind != FAULTY_NONE && faulty->kind < FAULTY_SILENT)
			used = misbehave(
				scene, peer, peer->bytes + at, peer->length - at - faulty->size);
		else if (faulty->kind != FAULTY_SILENT)
			reply(peer->fd, peer->bytes + at, faulty->size);
		faulty->messages++;
		if (used == 0)
			return false;
		at += used * faulty->size;
	}
	memmove(peer->bytes, peer->bytes + at, peer->length - at);
	peer->length -= at;
	return true;
}

static void
accept_one(struct scene *scene)
{
	int fd = accept4(scene->faulty->listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	if (fd == -1)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (scene->count == FAULTY_CONNECTIONS) {
		close(fd);
		return;
	}
	scene->peers[scene->count++] = (struct peer){.fd = fd, .bytes = malloc(BUFFER)};
}

static void
drop_peer(struct scene *scene, int index)
{
	close(scene->peers[index].fd);
	free(scene->peers[index].bytes);
	scene->peers[index] = scene->peers[--scene->count];
}

static void
serve_all(struct scene *scene)
{
	struct pollfd queries[FAULTY_CONNECTIONS + 1];
	int count = scene->count;

	for (int i = 0; i < count; i++)
		queries[i] = (struct pollfd){.fd = scene->peers[i].fd, .events = POLLIN};
	queries[count] = (struct pollfd){.fd = scene->faulty->listener, .events = POLLIN};
	if (poll(queries, (nfds_t)count + 1, 20) <= 0)
		return;
	/* Backwards, because dropping a peer moves the last one into its place. */
	for (int i = count - 1; i >= 0; i--) {
		struct peer *peer = &scene->peers[i];
		ssize_t received;

		if (queries[i].revents == 0)
			continue;
		received = recv(
			peer->fd, peer->bytes + peer->length, BUFFER - peer->length, MSG_DONTWAIT);
		if (received > 0)
			peer->length += (size_t)received;
		if (received <= 0 || !answer(scene, peer))
			drop_peer(scene, i);
	}
	if (queries[count].revents != 0)
		accept_one(scene);
}

static void *
run(void *argument)
{
	struct faulty *faulty = argument;
	struct scene scene = {.faulty = faulty, .held_fd = -1, .held = malloc(faulty->size)};
	int64_t next =
		clock_now() + (int64_t)((faulty->period - faulty->pause) * (double)CLOCK_SECOND);

	while (!faulty->stop) {
		serve_all(&scene);
		if (faulty->kind == FAULTY_STALL && clock_now() >= next) {
			int64_t end = next + (int64_t)(faulty->pause * (double)CLOCK_SECOND);
			struct timespec when = {end / CLOCK_SECOND, end % CLOCK_SECOND};

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
			next += (int64_t)(faulty->period * (double)CLOCK_SECOND);
		}
	}
	while (scene.count > 0)
		drop_peer(&scene, scene.count - 1);
	free(scene.held);
	return NULL;
}

bool
faulty_start(struct faulty *faulty)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;

	faulty->stop = false;
	faulty->messages = 0;
	faulty->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(faulty->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
		listen(faulty->listener, 1024) != 0 ||
		getsockname(faulty->listener, (struct sockaddr *)&address, &length) != 0)
		return false;
	faulty->port = ntohs(address.sin_port);
	return pthread_create(&faulty->thread, NULL, run, faulty) == 0;
}

void
faulty_stop(struct faulty *faulty)
{
	faulty->stop = true;
	pthread_join(faulty->thread, NULL);
	close(faulty->listener);
}

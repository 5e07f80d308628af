/* A service that waits for its clients in a way of the test's choice, for the tests of what is idle
 * (test_idle.c). It answers each whole line in upper case, and says when part of the next one has
 * arrived (hubbub_asked), but for a stream, which says it itself. Some lines are commands:
 *
 *	busy         is at work from now on (hubbub_busy); answers "yes"
 *	done         is not at work any more (hubbub_idle); no answer
 *	forget       answers "no", then is not at work any more (hubbub_idle)
 *	draining     answers "yes" or "no" (hubbub_is_draining)
 *	work MS      waits for MS for something else, then answers "done" */
#include <ctype.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/io/stream.h>
#include <hubbub/patch/patch.h>
#include <hubbub/server.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum way {
	RECEIVE,
	WAIT_FD,
	SELECT,
	POLL,
	PATCHED,
	PATCHED_POLL,
	PATCHED_SELECT,
	EPOLL,
	ASIDE,
	STREAM
};

static const char *const ways[] = {"receive", "wait_fd", "select", "poll", "patched",
	"patched_poll", "patched_select", "epoll", "aside", "stream"};

struct waits {
	enum way way;
};

/* The hub's ways to wait for input; what has arrived is received without waiting. */
static void
wait_by_hub(int client, enum way way)
{
	struct pollfd query = {.fd = client, .events = POLLIN};
	struct hub_case one = {.kind = HUB_CASE_FD, .fd = client, .events = POLLIN};

	if (way == WAIT_FD)
		hub_wait_fd(client, POLLIN);
	else if (way == SELECT)
		hub_select(&one, 1, HUB_FOREVER);
	else
		while (hub_poll(&query, 1, 70) == 0)
			continue;
}

/* The C library's ways, which are patched. */
static void
wait_by_libc(int client, enum way way)
{
	struct pollfd query = {.fd = client, .events = POLLIN};
	struct epoll_event event = {.events = EPOLLIN};
	fd_set set;
	int all;

	if (way == PATCHED_POLL) {
		poll(&query, 1, -1);
	} else if (way == PATCHED_SELECT) {
		FD_ZERO(&set);
		FD_SET(client, &set);
		select(client + 1, &set, NULL, NULL, NULL);
	} else {
		all = epoll_create1(EPOLL_CLOEXEC);
		epoll_ctl(all, EPOLL_CTL_ADD, client, &event);
		epoll_wait(all, &event, 1, -1);
		close(all);
	}
}

static ssize_t
receive(int client, char *buffer, size_t size, enum way way)
{
	ssize_t got;

	if (way == PATCHED)
		return recv(client, buffer, size, 0);
	do {
		if (way == WAIT_FD || way == SELECT || way == POLL)
			wait_by_hub(client, way);
		else if (way != RECEIVE && way != ASIDE)
			wait_by_libc(client, way);
		if (way == RECEIVE || way == ASIDE)
			got = hub_recv(client, buffer, size, 0);
		else if (way == PATCHED_POLL || way == PATCHED_SELECT || way == EPOLL)
			got = recv(client, buffer, size, MSG_DONTWAIT);
		else
			got = hub_recv(client, buffer, size, MSG_DONTWAIT);
	} while (got == -1 && errno == EAGAIN);
	return got;
}

static void
answer(int client, const char *text, enum way way)
{
	if (way >= PATCHED && way <= EPOLL)
		send(client, text, strlen(text), MSG_NOSIGNAL);
	else
		hub_send(client, text, strlen(text), 0);
}

static void
obey(int client, char *line, enum way way)
{
	if (strncmp(line, "work ", 5) == 0)
		hub_sleep(atol(line + 5) * HUB_MILLISECOND);
	if (strcmp(line, "busy\n") == 0) {
		hubbub_busy(client);
		answer(client, "yes\n", way);
	} else if (strcmp(line, "done\n") == 0) {
		hubbub_idle(client);
	} else if (strcmp(line, "forget\n") == 0) {
		hubbub_idle(client);
		answer(client, "no\n", way);
	} else if (strcmp(line, "draining\n") == 0) {
		answer(client, hubbub_is_draining() ? "yes\n" : "no\n", way);
	} else if (strncmp(line, "work ", 5) == 0) {
		answer(client, "done\n", way);
	} else {
		for (char *at = line; *at != '\0'; at++)
			*at = (char)toupper((unsigned char)*at);
		answer(client, line, way);
	}
}

struct talk {
	int client;
	enum way way;
};

/* Answers all whole lines. Moves the rest to the beginning, and returns its length. */
static size_t
obey_all(const struct talk *talk, char *lines, size_t length)
{
	size_t done = 0;
	char *end;

	while ((end = memchr(lines + done, '\n', length - done)) != NULL) {
		char next = end[1];

		end[1] = '\0';
		obey(talk->client, lines + done, talk->way);
		end[1] = next;
		done = (size_t)(end + 1 - lines);
	}
	memmove(lines, lines + done, length - done);
	if (done > 0 && done < length)
		hubbub_asked(talk->client);
	return length - done;
}

static void *
talk(void *argument)
{
	const struct talk *talk = argument;
	char line[256];
	size_t length = 0;
	ssize_t got;

	while ((got = receive(talk->client, line + length, sizeof line - 1 - length, talk->way)) >
		0) {
		length += (size_t)got;
		line[length] = '\0';
		length = obey_all(talk, line, length);
		if (length == sizeof line - 1)
			length = 0;
	}
	return NULL;
}

static void
talk_by_stream(const struct talk *talk)
{
	struct hub_stream *stream = hub_stream_new(talk->client, NULL);
	const char *line;
	char whole[256];

	while (stream != NULL && (line = hub_stream_read_line(stream, NULL)) != NULL) {
		snprintf(whole, sizeof whole, "%s\n", line);
		obey(talk->client, whole, talk->way);
	}
	hub_stream_free(stream);
}

static void
serve(int client, void *context)
{
	struct talk mine = {client, ((const struct waits *)context)->way};
	struct hub_coroutine *other;

	if (mine.way == STREAM) {
		talk_by_stream(&mine);
		return;
	}
	if (mine.way != ASIDE) {
		talk(&mine);
		return;
	}
	/* Another coroutine than the serving one reads. */
	other = hub_spawn(talk, &mine);
	if (other != NULL && hub_join(other, NULL) != 0)
		hub_detach(other);
}

int
main(int argc, char **argv)
{
	static struct waits waits;
	static const struct hubbub_option options[] = {{.name = "way",
							       .values = "WAY",
							       .help = "How it waits for input",
							       .kind = HUBBUB_CHOICE,
							       HUBBUB_FIELD(struct waits, way),
							       .standard = "receive",
							       HUBBUB_WORDS(ways)},
		{0}};
	static const struct hubbub_service service = {.name = "waits",
		.version = "1.0",
		.listen = "127.0.0.1:9090",
		.serve = serve,
		.context = &waits,
		.context_size = sizeof waits,
		.options = options};

	hub_patch(HUB_PATCH_OS | HUB_PATCH_SOCKET | HUB_PATCH_SELECT);
	return hubbub_main(argc, argv, &service);
}

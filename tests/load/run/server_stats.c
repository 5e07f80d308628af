/* A blocking HTTP client for one request. With HTTP/1.0 the server sends the body in one piece and
 * closes, so there is nothing to parse but the status line and the end of the head. */
#include "tests/load/run/server_stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "master/sockets/address.h"

#define ANSWER_MAX ((size_t)8 << 20) /* bytes; a longer answer is cut */

static int
connect_at(const struct address *address)
{
	static const struct timeval patience = {.tv_sec = 2};
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address->socket, address->length) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Connects to the first address of the name that answers. Returns a file descriptor, or -1. */
static int
connect_to(const char *where)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why;
	char host[256];
	size_t count;
	int fd = -1;

	if (strncmp(where, "http://", 7) == 0)
		where += 7;
	snprintf(host, sizeof host, "%.*s", (int)strcspn(where, "/"), where);
	count = address_parse(host, addresses, &why);
	for (size_t i = 0; i < count && fd == -1; i++)
		fd = connect_at(&addresses[i]);
	return fd;
}

json_t *
server_stats(const char *where)
{
	/* HTTP/1.0: the body is not chunked, and ends with the connection. */
	static const char request[] = "GET /stats.json HTTP/1.0\r\n\r\n";
	int fd = connect_to(where);
	char *answer = fd != -1 ? malloc(ANSWER_MAX + 1) : NULL, *body;
	size_t length = 0;
	ssize_t received;
	json_t *stats = NULL;

	if (answer != NULL && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0) {
		while (length < ANSWER_MAX &&
			(received = recv(fd, answer + length, ANSWER_MAX - length, 0)) > 0)
			length += (size_t)received;
		answer[length] = '\0';
		body = strstr(answer, "\r\n\r\n");
		if (body != NULL && strncmp(answer, "HTTP/1.", 7) == 0 &&
			strncmp(answer + 9, "200", 3) == 0)
			stats = json_loads(body + 4, 0, NULL);
	}
	if (fd != -1)
		close(fd);
	free(answer);
	return stats;
}

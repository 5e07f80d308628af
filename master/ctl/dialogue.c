#include "master/ctl/dialogue.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Returns a connected socket, or -1 with errno: EAGAIN if the queue there has been full for so many
 * seconds. Sending waits no longer, either. */
static int
connect_to(const char *path, int seconds)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = seconds};
	int error, fd;

	if (strlen(path) >= sizeof name.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	do
		error = connect(fd, (struct sockaddr *)&name, sizeof name) == 0 ? 0 : errno;
	while (error == EINTR);
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* ---- finding ---- */

struct search {
	char *path;
	unsigned found;
	char list[1024];
};

/* NAME-PORT.sock: other programs keep sockets there, too. */
static bool
is_of_server(const char *name)
{
	const char *port = strrchr(name, '-');
	size_t digits = port != NULL ? strspn(port + 1, "0123456789") : 0;

	return digits > 0 && strcmp(port + 1 + digits, ".sock") == 0;
}

static void
look_into(const char *folder, struct search *search)
{
	DIR *directory = folder != NULL ? opendir(folder) : NULL;
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char path[DIALOGUE_PATH_SIZE];
		int fd;

		if (!is_of_server(entry->d_name) || snprintf(path, sizeof path, "%s/%s", folder,
							    entry->d_name) >= (int)sizeof path)
			continue;
		fd = connect_to(path, 1);
		if (fd == -1 && errno != EAGAIN)
			continue;
		if (fd != -1)
			close(fd);
		search->found++;
		memcpy(search->path, path, sizeof path);
		snprintf(search->list + strlen(search->list),
			sizeof search->list - strlen(search->list), "\n  %s", path);
	}
	if (directory != NULL)
		closedir(directory);
}

int
dialogue_find(char path[static DIALOGUE_PATH_SIZE], char *error, int error_size)
{
	struct search search = {.path = path};

	look_into("/run/hubbub", &search);
	look_into(getenv("XDG_RUNTIME_DIR"), &search);
	if (search.found == 1)
		return 0;
	if (search.found == 0)
		snprintf(error, (size_t)error_size,
			"no server runs here that you may talk to; name its socket with --socket");
	else
		snprintf(error, (size_t)error_size,
			"%u servers run here; name one with --socket:%s", search.found,
			search.list);
	return -1;
}

/* ---- talking ---- */

static bool
send_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0) {
			text += sent;
			length -= (size_t)sent;
		}
	}
	return true;
}

/* The socket and how long it may be silent: the cookie of a stream. */
struct source {
	int fd;
	int seconds;
};

/* Not by SO_RCVTIMEO: with that, whoever is stopped and continued reads an error. */
static ssize_t
read_source(void *cookie, char *bytes, size_t size)
{
	const struct source *source = cookie;
	struct pollfd query = {.fd = source->fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&query, 1, source->seconds * 1000);
	while (ready == -1 && errno == EINTR);
	if (ready == 0)
		errno = EAGAIN;
	return ready == 1 ? recv(source->fd, bytes, size, 0) : -1;
}

/* Reads the answer. Returns what it ended with: '+', '!', or 0 with errno: 0 for the end, EAGAIN
 * for silence. */
static char
read_answer(FILE *stream, void (*hear)(char kind, const char *line, void *context), void *context,
	char *message, int message_size)
{
	char *line = NULL, last = 0;
	size_t room = 0;
	ssize_t length;

	while (last == 0 && (errno = 0, length = getline(&line, &room, stream)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (line[0] == '+' || line[0] == '!') {
			last = line[0];
			snprintf(message, (size_t)message_size, "%s", line + 1);
		} else {
			hear(line[0], line + 1, context);
		}
	}
	free(line);
	return last;
}

/* Says why the dialogue failed, and returns 1. */
static int
explain(const char *path, int error, char *message, int message_size)
{
	if (error == EAGAIN)
		snprintf(message, (size_t)message_size,
			"the server at %s does not answer, and was told nothing: is its process "
			"stopped? (kill -CONT)",
			path);
	else
		snprintf(message, (size_t)message_size, "cannot talk to %s: %s", path,
			error == ECONNREFUSED ? "no server listens there any more"
					      : strerror(error));
	return 1;
}

int
dialogue_run(const char *path, const char *request, int seconds, bool ends,
	void (*hear)(char kind, const char *line, void *context), void *context, char *message,
	int message_size)
{
	struct source source = {connect_to(path, seconds), seconds};
	FILE *stream = source.fd != -1 ? fopencookie(&source, "r",
						 (cookie_io_functions_t){.read = read_source})
				       : NULL;
	int error = errno;
	char last;

	if (stream == NULL) {
		if (source.fd != -1)
			close(source.fd);
		return explain(path, error, message, message_size);
	}
	last = send_all(source.fd, request) && send_all(source.fd, "\n")
		       ? read_answer(stream, hear, context, message, message_size)
		       : 0;
	error = errno;
	fclose(stream);
	close(source.fd);
	if (last == 0 && error == EAGAIN)
		return explain(path, error, message, message_size);
	if (last == 0)
		snprintf(message, (size_t)message_size,
			ends ? "the server has ended"
			     : "the server closed the connection without an answer (another "
			       "user's, or too many clients?)");
	return last == '+' || (last == 0 && ends) ? 0 : 1;
}

/* Everything blocks here, each step with a limit: connect and send by SO_SNDTIMEO, reading by poll.
 * When the server hangs up without a last line, or falls silent, the text of the error depends on
 * whether its process still lives, which a pidfd of the socket's peer tells. */
#include "master/ctl/dialogue.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "master/ctl/peer.h"
#include "master/ctl/plain.h"

#define ENDING 10000 /* milliseconds for a process to end once it has closed its control socket */
/* What a master says that refuses or drops a change because it ends (change.c). A service manager
 * that stops it in the middle of a reload signals it first, and this process next, whose failure
 * meanwhile would be the service's. So this process waits for the signal, so many milliseconds. */
#define STOPPING "the server is stopping"
#define SIGNAL_COMES 1000
#define PAUSED 500 /* milliseconds; a wait that ends later than so much was stopped */

/* Returns a connected socket, or -1 with errno: EAGAIN if the listener's queue was full for so many
 * seconds. Sending to the socket is limited to the same time. */
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

#define LIST_SIZE 1024

/* A search for control sockets, and the lists of its error. */
struct search {
	pid_t pid;              /* of the master that is looked for; 0: any */
	char *path;             /* of the match that was found last; DIALOGUE_PATH_SIZE */
	unsigned found;         /* matches */
	char list[LIST_SIZE];   /* sockets on which a server listens */
	char dead[LIST_SIZE];   /* sockets on which nobody listens: killed servers have left them */
	char denied[LIST_SIZE]; /* sockets that this user may not connect to */
};

/* Whether a file is named NAME-PORT.sock: other programs have sockets in these directories, too. */
static bool
is_of_server(const char *name)
{
	const char *port = strrchr(name, '-');
	size_t digits = port != NULL ? strspn(port + 1, "0123456789") : 0;

	return digits > 0 && strcmp(port + 1 + digits, ".sock") == 0;
}

/* Appends a line with a path, and a pid unless that is 0, to a list; what does not fit is cut
 * off. */
static void
append(char list[static LIST_SIZE], const char *path, pid_t pid)
{
	size_t length = strlen(list);

	if (pid != 0)
		snprintf(list + length, LIST_SIZE - length, "\n  %s (pid %d)", path, (int)pid);
	else
		snprintf(list + length, LIST_SIZE - length, "\n  %s", path);
}

/* Adds a socket to the lists. EAGAIN counts as a server: its queue is full, so somebody listens. */
static void
look_at(const char *path, struct search *search)
{
	struct peer peer = {.pidfd = -1};
	int fd = connect_to(path, 1);

	int error = fd == -1 ? errno : 0;

	if (error == ECONNREFUSED)
		append(search->dead, path, 0);
	if (error == EACCES)
		append(search->denied, path, 0);
	if (error != 0 && error != EAGAIN)
		return;
	if (fd != -1) {
		peer = peer_of(fd);
		close(fd);
	}
	if (peer.pidfd != -1)
		close(peer.pidfd);
	if (search->pid == 0 || search->pid == peer.pid) {
		search->found++;
		snprintf(search->path, DIALOGUE_PATH_SIZE, "%s", path);
	}
	append(search->list, path, peer.pid);
}

/* Looks at the sockets in a directory, which may be NULL. goes_deeper: and in its subdirectories,
 * where servers that have changed their user have theirs. */
static void
look_into(const char *parent, bool goes_deeper, struct search *search)
{
	DIR *directory = parent != NULL ? opendir(parent) : NULL;
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char path[DIALOGUE_PATH_SIZE];

		if (snprintf(path, sizeof path, "%s/%s", parent, entry->d_name) >= (int)sizeof path)
			continue;
		if (is_of_server(entry->d_name))
			look_at(path, search);
		else if (goes_deeper && entry->d_type == DT_DIR && entry->d_name[0] != '.')
			look_into(path, false, search);
	}
	if (directory != NULL)
		closedir(directory);
}

int
dialogue_find(pid_t pid, char path[static DIALOGUE_PATH_SIZE], char *error, int error_size)
{
	struct search search = {.pid = pid, .path = path};

	look_into("/run/hubbub", true, &search);
	look_into(getenv("XDG_RUNTIME_DIR"), false, &search);
	if (search.found == 1)
		return 0;
	if (search.found == 0 && search.list[0] != '\0')
		snprintf(error, (size_t)error_size,
			"process %d has no control socket here that you may connect to; after an "
			"upgrade the server is another process; name its socket with --socket if "
			"--control set one; there are:%s",
			(int)pid, search.list);
	else if (search.found == 0)
		snprintf(error, (size_t)error_size,
			"no server runs here that you may connect to; name its socket with "
			"--socket%s%s%s%s",
			search.dead[0] != '\0' ? "; no server listens any more at" : "",
			search.dead,
			search.denied[0] != '\0' ? "; only root, and the user and the group of the "
						   "file, may connect to"
						 : "",
			search.denied);
	else
		snprintf(error, (size_t)error_size,
			"%u servers run here; name one with --pid or --socket:%s", search.found,
			search.list);
	return search.found == 0 ? DIALOGUE_NONE : DIALOGUE_SEVERAL;
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

/* The connection of a dialogue: the cookie of its stream (fopencookie). */
struct source {
	int fd;
	int patience;    /* seconds of silence */
	int64_t end;     /* of the whole dialogue: milliseconds, as now() */
	bool has_spoken; /* something was read from the server */
	int descriptor;  /* came with the bytes; -1 for none */
};

/* Returns the monotonic clock in milliseconds. */
static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Returns how many milliseconds the server may be silent from now on. */
static int
time_left(const struct source *source)
{
	int64_t left = source->end - now(), patience = (int64_t)source->patience * 1000;

	return left < 0 ? 0 : (int)(left < patience ? left : patience);
}

/* As recv(2), and keeps the first descriptor that comes with the bytes. */
static ssize_t
receive(struct source *source, char *bytes, size_t size)
{
	struct iovec part = {bytes, size};
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	ssize_t got = recvmsg(source->fd, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
	int fd;

	if (header == NULL || header->cmsg_type != SCM_RIGHTS ||
		header->cmsg_len != CMSG_LEN(sizeof fd))
		return got;
	memcpy(&fd, CMSG_DATA(header), sizeof fd);
	if (source->descriptor != -1)
		close(fd);
	else
		source->descriptor = fd;
	return got;
}

/* Reads for the stream. By poll, not by SO_RCVTIMEO: with that, a recv that is interrupted by
 * SIGSTOP and SIGCONT fails. If this process was stopped beyond its patience, so was the server,
 * perhaps, as in a pause of the machine or of their container: it gets its time anew. */
static ssize_t
read_source(void *cookie, char *bytes, size_t size)
{
	struct source *source = cookie;
	struct pollfd query = {.fd = source->fd, .events = POLLIN};
	int64_t due;
	int ready;

	do {
		int left = time_left(source);

		due = now() + left;
		ready = poll(&query, 1, left);
	} while ((ready == -1 && errno == EINTR) || (ready == 0 && now() > due + PAUSED));
	if (ready == 0)
		errno = now() >= source->end ? ETIME : EAGAIN;
	if (ready != 1)
		return -1;
	source->has_spoken = true;
	return receive(source, bytes, size);
}

/* Reads the answer. A line without its end is none: the server has died while it wrote that.
 * Returns the kind of the last line, '+', '!' or '?', or 0 with errno: 0 if the server hung up,
 * EAGAIN if it was silent for too long, ETIME if the whole dialogue took too long. */
static char
read_answer(FILE *stream, struct dialogue *dialogue)
{
	char *line = NULL, last = 0;
	size_t room = 0;
	ssize_t length;

	while (last == 0 && (errno = 0, length = getline(&line, &room, stream)) > 0 &&
		line[length - 1] == '\n') {
		line[length - 1] = '\0';
		plain(line);
		if (line[0] == '+' || line[0] == '!' || line[0] == '?') {
			last = line[0];
			snprintf(dialogue->message, sizeof dialogue->message, "%s", line + 1);
		} else {
			dialogue->hear(line[0], line + 1, dialogue->context);
		}
	}
	free(line);
	return last;
}

/* Returns "the server (pid 123)", static; without the pid if it is unknown. */
static const char *
name_server(const struct peer *peer)
{
	static char name[32];

	if (peer->pid == 0)
		return "the server";
	snprintf(name, sizeof name, "the server (pid %d)", (int)peer->pid);
	return name;
}

/* Sets the message for a server that does not answer. Returns the exit code. */
static int
explain_silence(struct dialogue *dialogue, const struct peer *peer, bool has_spoken)
{
	char hint[48] = "kill -CONT";

	if (peer->pid != 0)
		snprintf(hint, sizeof hint, "kill -CONT %d", (int)peer->pid);
	if (has_spoken)
		snprintf(dialogue->message, sizeof dialogue->message,
			"%s at %s does not answer any more: is its process stopped? (%s) The "
			"command may be under way",
			name_server(peer), dialogue->path, hint);
	else
		snprintf(dialogue->message, sizeof dialogue->message,
			"%s at %s does not answer, and has begun nothing: is its process stopped? "
			"(%s)",
			name_server(peer), dialogue->path, hint);
	return 1;
}

static int
explain_refusal(struct dialogue *dialogue, int error)
{
	snprintf(dialogue->message, sizeof dialogue->message, "cannot talk to %s: %s",
		dialogue->path,
		error == ECONNREFUSED ? "no server listens there any more"
		: error == EACCES ? "only root, and the user and the group of the file, may connect"
				  : strerror(error));
	return 1;
}

/* Whether nobody listens on the socket any more; asked only if the server's process is unknown. */
static bool
is_deserted(const char *path)
{
	int fd = connect_to(path, 1);

	if (fd != -1)
		close(fd);
	return fd == -1 && (errno == ECONNREFUSED || errno == ENOENT);
}

/* The server has hung up without a last line: it has ended, or it does not serve this user, or it
 * has too many clients. */
static int
explain_end(struct dialogue *dialogue, const struct peer *peer)
{
	bool has_ended = peer->pidfd != -1 ? peer_ends(peer, ENDING) : is_deserted(dialogue->path);

	if (has_ended)
		snprintf(dialogue->message, sizeof dialogue->message, "%s%s",
			dialogue->ends ? "the server has ended" : name_server(peer),
			dialogue->ends ? "" : " has ended without an answer");
	else
		snprintf(dialogue->message, sizeof dialogue->message,
			"%s closed the connection without an answer, and still runs (does it "
			"belong "
			"to another user, or have too many clients?)",
			name_server(peer));
	return has_ended && dialogue->ends ? 0 : 1;
}

/* Sets the message for an answer that ended with that line, or without one and with that errno.
 * Returns the exit code. */
static int
conclude(struct dialogue *dialogue, const struct peer *peer, char last, int error, bool has_spoken)
{
	switch (last) {
	case '+':
		/* Wait for the process's end, so that a server started next finds nothing left of
		 * this one. */
		if (dialogue->ends)
			peer_ends(peer, ENDING);
		return 0;
	case '!':
		if (strcmp(dialogue->message, STOPPING) == 0)
			peer_ends(peer, SIGNAL_COMES);
		return 1;
	case '?':
		return 2;
	default:
		break;
	}
	if (error == EAGAIN)
		return explain_silence(dialogue, peer, has_spoken);
	if (error != ETIME)
		return explain_end(dialogue, peer);
	/* A server that has begun a command says so at once, or within a second. */
	if (has_spoken)
		snprintf(dialogue->message, sizeof dialogue->message,
			"not done after %d seconds (--timeout); %s goes on with it",
			dialogue->limit, name_server(peer));
	else
		snprintf(dialogue->message, sizeof dialogue->message,
			"%s has said nothing in %d second%s (--timeout); if it has not begun the "
			"command by now, it will not",
			name_server(peer), dialogue->limit, dialogue->limit == 1 ? "" : "s");
	return 1;
}

int
dialogue_run(struct dialogue *dialogue)
{
	struct source source = {.descriptor = -1,
		.patience = dialogue->patience,
		.end = now() + (int64_t)dialogue->limit * 1000};
	struct peer peer;
	FILE *stream;
	char last = 0;
	int error;

	if (dialogue->descriptor != NULL)
		*dialogue->descriptor = -1;
	source.fd = connect_to(dialogue->path, (time_left(&source) + 999) / 1000);
	if (source.fd == -1 && errno == EAGAIN)
		return explain_silence(dialogue, &(struct peer){.pidfd = -1}, false);
	if (source.fd == -1)
		return explain_refusal(dialogue, errno);
	peer = peer_of(source.fd);
	stream = fopencookie(&source, "r", (cookie_io_functions_t){.read = read_source});
	if (stream != NULL && send_all(source.fd, dialogue->request) && send_all(source.fd, "\n"))
		last = read_answer(stream, dialogue);
	error = errno;
	if (stream != NULL)
		fclose(stream);
	/* Closed first, so that the server does not begin a command that was given up here. */
	close(source.fd);
	if (dialogue->descriptor != NULL)
		*dialogue->descriptor = source.descriptor;
	else if (source.descriptor != -1)
		close(source.descriptor);
	error = conclude(dialogue, &peer, last, error, source.has_spoken);
	if (peer.pidfd != -1)
		close(peer.pidfd);
	return error;
}

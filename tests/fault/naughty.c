/* A service that misbehaves on request, for the tests of supervision. It answers each line:
 *
 *	where        "PID TID", of the process and the thread that serve this connection
 *	spin MS      computes for MS without letting other coroutines run, then answers "done"
 *	burn MS      the same until its thread has had a CPU for MS, however long that takes
 *	files        opens files until there are no more, then answers "done"
 *	sleep MS     suspends only its coroutine, then answers "done"
 *	crash        writes to address 8
 *	abort        calls abort(3)
 *	exit         ends its process with code 3
 *	fill         sends without end
 *	scribble HOW overwrites the whole segment of counters with "zeros", "ones" (bits) or bytes
 *	             of a random generator with that seed, then answers "done"
 *	other lines  answers the line in upper case */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
spin(long milliseconds)
{
	int64_t end = hub_now() + milliseconds * HUB_MILLISECOND;

	while (hub_now() < end)
		continue;
}

static int64_t
time_used(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return used.tv_sec * HUB_SECOND + used.tv_nsec;
}

static void
burn(long milliseconds)
{
	int64_t end = time_used() + milliseconds * HUB_MILLISECOND;

	while (time_used() < end)
		continue;
}

__attribute__((noinline)) static void
crash_here(void)
{
	static volatile int *volatile nowhere = (int *)8;

	*nowhere = 1;
}

static void
fill(int client)
{
	static const char bytes[65536];

	while (hub_send(client, bytes, sizeof bytes, 0) > 0)
		continue;
}

/* What the next byte of a scribble is. */
static unsigned char
scribbled(const char *how)
{
	static unsigned long state;

	if (strcmp(how, "zeros") == 0)
		return 0;
	if (strcmp(how, "ones") == 0)
		return 0xff;
	if (state == 0)
		state = strtoul(how, NULL, 10) * 2 + 1;
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned char)(state >> 56);
}

/* By its descriptor, which the process has in any case; no other is opened, since closing that
 * would release the process's locks. */
static void
scribble(const char *how)
{
	static const char name[] = "/memfd:hubbub-counters";
	static unsigned char bytes[65536];
	char path[64], target[64];

	for (int fd = 0; fd < 256; fd++) {
		struct stat status;

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		memset(target, 0, sizeof target);
		if (readlink(path, target, sizeof target - 1) <= 0 ||
			strncmp(target, name, strlen(name)) != 0 || fstat(fd, &status) != 0)
			continue;
		for (off_t at = 0; at < status.st_size;) {
			off_t left = status.st_size - at;
			size_t size = left < (off_t)sizeof bytes ? (size_t)left : sizeof bytes;
			ssize_t written;

			for (size_t i = 0; i < size; i++)
				bytes[i] = scribbled(how);
			written = pwrite(fd, bytes, size, at);
			if (written <= 0)
				return;
			at += written;
		}
	}
}

static void
answer(int client, char *line)
{
	char reply[128] = "done";

	if (strcmp(line, "where") == 0) {
		snprintf(reply, sizeof reply, "%d %ld", (int)getpid(), syscall(SYS_gettid));
	} else if (strncmp(line, "spin ", 5) == 0) {
		spin(atol(line + 5));
	} else if (strncmp(line, "burn ", 5) == 0) {
		burn(atol(line + 5));
	} else if (strncmp(line, "sleep ", 6) == 0) {
		hub_sleep(atol(line + 6) * HUB_MILLISECOND);
	} else if (strcmp(line, "files") == 0) {
		while (open("/dev/null", O_RDONLY | O_CLOEXEC) != -1)
			continue;
	} else if (strcmp(line, "crash") == 0) {
		crash_here();
	} else if (strcmp(line, "abort") == 0) {
		abort();
	} else if (strcmp(line, "exit") == 0) {
		_exit(3);
	} else if (strcmp(line, "fill") == 0) {
		fill(client);
	} else if (strncmp(line, "scribble ", 9) == 0) {
		scribble(line + 9);
	} else {
		snprintf(reply, sizeof reply, "%s", line);
		for (char *c = reply; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
	}
	strcat(reply, "\n");
	hub_send(client, reply, strlen(reply), 0);
}

static void
serve(int client, void *unused)
{
	char line[100];
	size_t length = 0;
	ssize_t received;

	(void)unused;
	while ((received = hub_recv(client, line + length, sizeof line - 1 - length, 0)) > 0) {
		char *newline;

		length += (size_t)received;
		line[length] = '\0';
		while ((newline = strchr(line, '\n')) != NULL) {
			*newline = '\0';
			answer(client, line);
			length -= (size_t)(newline + 1 - line);
			memmove(line, newline + 1, length + 1);
		}
		if (length == sizeof line - 1)
			return;
	}
}

/* A program that cannot start: in an upgrade it stands for a broken build. */
static const char *
set_start(const char *value, void *unused)
{
	(void)unused;
	if (strcmp(value, "crash") == 0)
		abort();
	if (strcmp(value, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(value, "exit") == 0)
		exit(4);
	return strcmp(value, "well") == 0 ? NULL : "'well', 'crash', 'hang' or 'exit'";
}

int
main(int argc, char **argv)
{
	static const struct hubbub_option options[] = {
		{.name = "start",
			.values = "HOW",
			.help = "How to start: well, crash, hang or exit",
			.set = set_start},
		{0}};
	static const struct hubbub_service naughty = {.name = "naughty",
		.version = "1.0",
		.listen = "127.0.0.1:0",
		.serve = serve,
		.options = options};

	return hubbub_main(argc, argv, &naughty);
}

/* A starting server first has no control socket, then one at which it is not ready. A single
 * question fails in both cases, so the question is repeated every AGAIN milliseconds until the
 * server is ready, its process has ended, or time is up. */
#include "master/ctl/await.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/ctl/dialogue.h"
#include "master/ctl/peer.h"

#define AGAIN 50 /* milliseconds between two questions */

/* One waiting. */
struct await {
	const char *socket;              /* the path that was given; NULL: look for it */
	struct peer process;             /* the master that was named; pid 0: none */
	int64_t end;                     /* milliseconds, as now() */
	char why[DIALOGUE_MESSAGE_SIZE]; /* why it was not ready at the last question */
	char found[DIALOGUE_PATH_SIZE];  /* the path that was found */
};

static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Drops the answer's lines: the state is not printed. */
static void
ignore(char kind, const char *line, void *context)
{
	(void)kind, (void)line, (void)context;
}

/* Whether the process has ended. By its pidfd, for which a zombie has ended; without pidfds by
 * kill(2), for which it has not. */
static bool
has_ended(const struct peer *process)
{
	if (process->pid == 0)
		return false;
	if (process->pidfd != -1)
		return peer_ends(process, 0);
	return kill(process->pid, 0) == -1 && errno == ESRCH;
}

/* Returns the seconds that are left, rounded up; at least 1, so that the last question can be
 * answered. */
static int
seconds_left(const struct await *await)
{
	int64_t left = await->end - now();

	return left <= 1000 ? 1 : (int)((left + 999) / 1000);
}

static bool
is_ready(struct await *await, const char *path)
{
	struct dialogue dialogue = {.path = path,
		.request = "status",
		.patience = DIALOGUE_STATUS_PATIENCE,
		.limit = seconds_left(await),
		.hear = ignore};
	int result = dialogue_run(&dialogue);

	snprintf(await->why, sizeof await->why, "%s", dialogue.message);
	return result == 0 && strcmp(dialogue.message, "ready") == 0;
}

/* Asks once. Returns 1 if the server is ready, 0 if it may be later, -1 if it will never be. */
static int
look(struct await *await)
{
	const char *path = await->socket;
	int result;

	if (has_ended(&await->process)) {
		snprintf(await->why, sizeof await->why, "process %d has ended",
			(int)await->process.pid);
		return -1;
	}
	if (path == NULL) {
		result = dialogue_find(
			await->process.pid, await->found, await->why, (int)sizeof await->why);
		if (result != 0)
			return result == DIALOGUE_SEVERAL ? -1 : 0;
		path = await->found;
	}
	return is_ready(await, path);
}

int
await_ready(const char *socket, pid_t pid, int seconds, char *message, size_t size)
{
	struct await await = {.socket = socket,
		.process = {.pid = pid, .pidfd = pid != 0 ? pidfd_open(pid, 0) : -1},
		.end = now() + (int64_t)seconds * 1000};
	int result;

	while ((result = look(&await)) == 0 && now() + AGAIN < await.end)
		usleep(AGAIN * 1000);
	if (result == 0)
		snprintf(message, size, "not ready after %d second%s (--timeout): %s", seconds,
			log_plural((uint64_t)seconds, "s"), await.why);
	else
		snprintf(message, size, "%s", await.why);
	if (await.process.pidfd != -1)
		close(await.process.pidfd);
	return result == 1 ? 0 : 1;
}

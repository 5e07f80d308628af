/* A worker is a fork of the master, so its addresses mean the same code here. Finding the names
 * reads files, which may block for any time; so a child finds them and writes the text into a pipe,
 * while the master answers probes. Each lookup is on a list until its result is logged. */
#include "master/fleet/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "hub/debug/backtrace.h"
#include "master/base/ear.h"
#include "master/start/sandbox.h"

#define TEXT_SIZE 4096 /* bytes; an empty pipe takes as many without blocking */

struct lookup {
	struct lookup *next;
	struct ev_loop *loop;
	struct ear answer; /* the read end of the pipe; owned */
	ev_timer limit;
	int64_t until; /* clock at which the limit is reached */
	pid_t child;   /* 0 once reaped */
	char whose[64];
	size_t length;
	char text[TEXT_SIZE];
};

static struct lookup *lookups;

/* ---- the log ---- */

static void
log_missing(const char *whose, const char *why)
{
	log_error("%s: no backtrace: %s", whose, why);
}

/* Logs all lines at once, so that the lines of two crashes do not mix. */
static void
log_result(struct lookup *lookup)
{
	char *rest = lookup->text;

	CHECK(lookup->length < sizeof lookup->text);
	lookup->text[lookup->length] = '\0';
	if (lookup->length == 0) {
		log_missing(lookup->whose, "the names of its functions could not be looked up");
		return;
	}
	log_error("%s crashed in:", lookup->whose);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0')
			log_error("  %s", line);
}

/* ---- the child ---- */

/* The child closes every other file descriptor, because the server may end, or change its master,
 * meanwhile. All signals stay blocked, except SIGALRM, which ends the child if the master does
 * not. */
static _Noreturn void
look_up(int answer, const struct worker_crash *crash, unsigned count)
{
	char text[TEXT_SIZE];
	sigset_t alarms;
	size_t length;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
	alarm(2 * LOOKUP_SECONDS);
	if (answer > STDERR_FILENO + 1)
		sandbox_close_range(STDERR_FILENO + 1, (unsigned)answer - 1);
	sandbox_close_range((unsigned)answer + 1, ~0U);
	length = backtrace_write(text, sizeof text - 1, crash->frames, count);
	_exit(write(answer, text, length) == (ssize_t)length ? 0 : 1);
}

/* Returns 0, or -1 with errno. */
static int
fork_child(struct lookup *lookup, const struct worker_crash *crash, unsigned count)
{
	sigset_t all, before;
	int pipes[2], error;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	/* No handler of the master may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	lookup->child = fork();
	error = errno;
	if (lookup->child == 0)
		look_up(pipes[1], crash, count);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pipes[1]);
	if (lookup->child == -1) {
		close(pipes[0]);
		errno = error;
		return -1;
	}
	ev_io_set(&lookup->answer.watcher, pipes[0], EV_READ);
	return 0;
}

/* ---- the child's answer ---- */

/* Reads from the pipe. Returns whether more may come. */
static bool
read_some(struct lookup *lookup)
{
	ssize_t received = read(lookup->answer.watcher.fd, lookup->text + lookup->length,
		sizeof lookup->text - 1 - lookup->length);

	if (received > 0)
		lookup->length += (size_t)received;
	return received > 0 || (received == -1 && errno == EINTR);
}

/* Reads what the child has written and, waiting, what it writes until this clock. */
static void
read_until(struct lookup *lookup, int64_t until)
{
	struct pollfd answer = {.fd = lookup->answer.watcher.fd, .events = POLLIN};
	int64_t left;

	do {
		left = until - clock_now();
		if (poll(&answer, 1, left > 0 ? (int)(left / CLOCK_MILLISECOND) + 1 : 0) == 1 &&
			!read_some(lookup))
			return;
	} while (left > 0 || answer.revents != 0);
}

/* Logs the result and frees the lookup. A child that still runs is killed; the master's SIGCHLD
 * handling reaps it. */
static void
end(struct lookup *lookup)
{
	struct lookup **link = &lookups;

	read_until(lookup, 0);
	log_result(lookup);
	ear_stop(lookup->loop, &lookup->answer);
	ev_timer_stop(lookup->loop, &lookup->limit);
	close(lookup->answer.watcher.fd);
	CHECK_WHY(lookup->child >= 0, "-1 is every process");
	if (lookup->child != 0)
		kill(lookup->child, SIGKILL);
	while (*link != lookup)
		link = &(*link)->next;
	*link = lookup->next;
	free(lookup);
}

static void
on_answer(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	if (!read_some(watcher->data))
		end(watcher->data);
}

static void
on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	end(timer->data);
}

static unsigned
count_lookups(void)
{
	unsigned count = 0;

	for (const struct lookup *each = lookups; each != NULL; each = each->next)
		count++;
	return count;
}

void
lookup_start(struct ev_loop *loop, const char *whose, const struct worker_crash *crash)
{
	/* A copy, because the row is freed soon. Its count is checked, because a crashing process
	 * wrote it. */
	struct worker_crash own = *crash;
	unsigned count = own.frame_count <= CRASH_FRAMES ? own.frame_count : 0;
	struct lookup *lookup;

	if (count == 0) {
		log_missing(whose, "the worker has left none");
		return;
	}
	if (count_lookups() >= LOOKUPS_MAX) {
		log_missing(whose, "too many are looked up already");
		return;
	}
	lookup = calloc(1, sizeof *lookup);
	if (lookup == NULL) {
		log_missing(whose, strerror(errno));
		return;
	}
	ear_init(&lookup->answer, on_answer, -1, EV_READ);
	if (fork_child(lookup, &own, count) != 0) {
		log_missing(whose, strerror(errno));
		free(lookup);
		return;
	}
	lookup->loop = loop;
	snprintf(lookup->whose, sizeof lookup->whose, "%s", whose);
	lookup->until = clock_now() + LOOKUP_SECONDS * CLOCK_SECOND;
	ev_now_update(loop);
	ev_timer_init(&lookup->limit, on_limit, LOOKUP_SECONDS, 0.);
	lookup->answer.watcher.data = lookup->limit.data = lookup;
	ear_start(loop, &lookup->answer);
	ev_timer_start(loop, &lookup->limit);
	lookup->next = lookups;
	lookups = lookup;
}

bool
lookup_reap(pid_t pid)
{
	struct lookup *lookup = lookups;

	CHECK_WHY(pid > 0, "0 is the child of each lookup whose child was reaped");
	while (lookup != NULL && lookup->child != pid)
		lookup = lookup->next;
	/* After this the kernel may give the pid to another process. */
	if (lookup != NULL && waitpid(pid, NULL, WNOHANG) == pid)
		lookup->child = 0;
	return lookup != NULL;
}

void
lookups_end(bool waits)
{
	while (lookups != NULL) {
		if (waits)
			read_until(lookups, lookups->until);
		end(lookups);
	}
}

/* The pipe is a worker's standard output and error at once: so lines are in the sequence in which
 * they were printed. A line may begin with its level, "<3>", as in systemd's journal; what this
 * library prints at the end of a process does. The last line of a process that was killed in the
 * middle of it comes out as far as it was written. */
#include "master/say/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/log.h"
#include "hub/base/log_text.h"
#include "master/base/ear.h"

/* Room for what a worker prints while the master is busy or stopped. More for each of many workers
 * would use up what one user's pipes may have (fs.pipe-user-pages-soft). */
#define PIPE_SIZE (256 << 10)

/* How much of what a dead worker has left is logged in a turn of the loop, in bytes, of which each
 * line costs so many more: a full pipe may have 128 thousand lines. */
#define LEFT_AT_ONCE ((size_t)32 << 10)
#define LINE_COST 128

#define CUT_SIZE (sizeof LOG_CUT - 1)
#define PREFIX_SIZE 3 /* "<3>" */

struct capture {
	struct capture *next;
	struct ev_loop *loop;
	struct ear ear; /* on the pipe */
	int pipe;
	unsigned worker;
	pid_t pid;
	bool is_orphan;       /* the worker is dead */
	size_t left;          /* bytes that the worker may have left, at its death */
	size_t cost;          /* of what was logged */
	bool is_split;        /* the line that has begun is logged in pieces */
	enum log_level level; /* of the line that is logged; LOG_LEVEL_MAX if it says none */
	size_t length;        /* of the line that has begun */
	char line[CAPTURE_LINE + CUT_SIZE];
};

/* The newest first. */
static struct capture *all;

/* ---- lines ---- */

/* The level of a line, of which *line and *length become what is behind "<3>"; LOG_LEVEL_MAX if it
 * says none. The levels are those of syslog(3). */
static enum log_level
take_level(const char **line, size_t *length)
{
	static const enum log_level levels[] = {LOG_ERROR, LOG_ERROR, LOG_ERROR, LOG_ERROR,
		LOG_WARNING, LOG_INFO, LOG_INFO, LOG_DEBUG};
	const char *text = *line;

	if (*length < PREFIX_SIZE || text[0] != '<' || text[1] < '0' || text[1] > '7' ||
		text[2] != '>')
		return LOG_LEVEL_MAX;
	*line += PREFIX_SIZE;
	*length -= PREFIX_SIZE;
	return levels[text[1] - '0'];
}

/* Logs a line, or a piece of it; the first says the level of all. A line that says no level is
 * logged whatever the level of the log is: it was meant to be seen. */
static void
put(struct capture *capture, const char *line, size_t length)
{
	char number[16];
	struct log_field worker = {.name = "worker",
		.name_length = 6,
		.value = number,
		.length = (size_t)snprintf(number, sizeof number, "%u", capture->worker),
		.is_number = true};
	enum log_level level = capture->is_split ? capture->level : take_level(&line, &length);
	struct log_entry entry = {.level = level != LOG_LEVEL_MAX ? level : LOG_INFO,
		.pid = capture->pid,
		.message = line,
		.length = length,
		.context = &worker,
		.context_count = 1};

	capture->level = level;
	capture->cost += length + LINE_COST;
	if (length > 0 && line[length - 1] == '\r')
		entry.length--;
	/* The journal has no empty lines either: a million of them says nothing. */
	if (entry.length > 0 && (level == LOG_LEVEL_MAX || log_wants(level)))
		log_put(&entry);
}

/* Logs what there is of a line, as one of its pieces. */
static void
put_piece(struct capture *capture)
{
	memcpy(capture->line + capture->length, LOG_CUT, CUT_SIZE);
	put(capture, capture->line, capture->length + CUT_SIZE);
	capture->is_split = true;
	capture->length = 0;
}

/* Logs the end of a line. */
static void
put_end(struct capture *capture, const char *line, size_t length)
{
	put(capture, line, length);
	capture->is_split = false;
}

static void
put_rest(struct capture *capture)
{
	put_end(capture, capture->line, capture->length);
	capture->length = 0;
}

/* Logs the whole lines among what has been read. */
static void
put_lines(struct capture *capture)
{
	char *line = capture->line, *end = line + capture->length, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		put_end(capture, line, (size_t)(newline - line));
		line = newline + 1;
	}
	capture->length = (size_t)(end - line);
	memmove(capture->line, line, capture->length);
	if (capture->length == CAPTURE_LINE)
		put_piece(capture);
}

/* ---- pipes ---- */

static void
remove_from_all(struct capture *capture)
{
	struct capture **place = &all;

	while (*place != capture)
		place = &(*place)->next;
	*place = capture->next;
}

void
capture_free(struct capture *capture)
{
	if (capture == NULL)
		return;
	remove_from_all(capture);
	ear_stop(capture->loop, &capture->ear);
	close(capture->pipe);
	free(capture);
}

/* Reads at most so many bytes. Returns how many there were; 0 at the end, -1 if there is nothing
 * now. */
static ssize_t
read_some(struct capture *capture, size_t most)
{
	size_t room = CAPTURE_LINE - capture->length;
	ssize_t count;

	CHECK_WHY(room > 0, "a full line is logged as a piece");
	count = read(capture->pipe, capture->line + capture->length, room < most ? room : most);
	if (count <= 0)
		return count;
	capture->length += (size_t)count;
	put_lines(capture);
	return count;
}

/* Logs a part of what a dead worker has left: no more than the pipe holds in all, even if others
 * write meanwhile. */
static void
read_left(struct capture *capture, size_t most)
{
	size_t before = capture->cost;

	while (capture->left > 0 && capture->cost - before < most) {
		ssize_t count = read_some(capture, capture->left);

		capture->left -= count > 0 ? (size_t)count : capture->left;
	}
	if (capture->left == 0)
		put_rest(capture);
}

/* Gives the oldest place of too many to another one, but not before all that its worker has printed
 * is logged. */
static void
limit_orphans(void)
{
	struct capture *oldest = NULL;
	unsigned count = 0;

	for (struct capture *capture = all; capture != NULL; capture = capture->next)
		if (capture->is_orphan && capture->left == 0) {
			oldest = capture;
			count++;
		}
	if (count > CAPTURE_ORPHANS_MAX)
		capture_free(oldest);
}

/* A line without an end that a living worker has begun is kept; nobody ends it for a dead one. */
static void
on_output(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct capture *capture = watcher->data;
	ssize_t count;

	(void)events;
	if (capture->left > 0) {
		read_left(capture, LEFT_AT_ONCE);
		limit_orphans();
		return;
	}
	count = read_some(capture, CAPTURE_AT_ONCE);
	if (count != 0 && !(count < 0 && errno != EAGAIN && errno != EINTR)) {
		if (capture->is_orphan && count < CAPTURE_AT_ONCE)
			put_rest(capture);
		return;
	}
	put_rest(capture);
	/* The worker has closed its output, or is dying. */
	ear_stop(loop, &capture->ear);
	if (capture->is_orphan)
		capture_free(capture);
}

struct capture *
capture_new(struct ev_loop *loop, unsigned worker, int *output)
{
	struct capture *capture = calloc(1, sizeof *capture);
	int ends[2];

	if (capture == NULL)
		return NULL;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		free(capture);
		return NULL;
	}
	/* Of the two ends, this one alone: for the worker's printf, a full pipe is no error. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	capture->loop = loop;
	capture->worker = worker;
	capture->pipe = ends[0];
	capture->next = all;
	all = capture;
	ear_init(&capture->ear, on_output, ends[0], EV_READ);
	capture->ear.watcher.data = capture;
	/* What a worker prints comes before what it then reports, such as that it is ready. */
	ev_set_priority(&capture->ear.watcher, EV_MAXPRI);
	ear_start(loop, &capture->ear);
	*output = ends[1];
	return capture;
}

void
capture_set_process(struct capture *capture, pid_t pid)
{
	if (capture != NULL)
		capture->pid = pid;
}

/* ---- the worker's end ---- */

void
capture_leave(struct capture *capture)
{
	if (capture == NULL)
		return;
	CHECK_WHY(!capture->is_orphan, "a worker dies once");
	capture->is_orphan = true;
	capture->left = PIPE_SIZE;
	read_left(capture, LEFT_AT_ONCE);
	if (!ear_is_active(&capture->ear))
		capture_free(capture);
	limit_orphans();
}

void
capture_end(void)
{
	while (all != NULL) {
		all->left = PIPE_SIZE;
		read_left(all, SIZE_MAX);
		capture_free(all);
	}
}

/* Hubs answer by the dump's number, so that a late answer to an earlier dump is known. */
#include "master/face/dump.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "master/base/timer.h"
#include "master/master.h"
#include "worker/nofile.h"

#define DUMP_TIME 3. /* seconds for hubs to write their coroutines */

/* What the hubs have written. */
struct written {
	char *text; /* allocated */
	size_t size;
	const char *fault; /* why it is not all of it; or NULL */
};

/* The file is read, not mapped: a worker may shorten it at any time. */
static struct written
read_written(int file)
{
	struct written written = {.fault = NULL};
	struct stat status;
	ssize_t got;

	if (fstat(file, &status) != 0 || status.st_size == 0)
		return written;
	written.size = (size_t)status.st_size < DUMP_MOST ? (size_t)status.st_size : DUMP_MOST;
	written.text = malloc(written.size);
	got = written.text != NULL ? pread(file, written.text, written.size, 0) : 0;
	written.size = got > 0 ? (size_t)got : 0;
	if (written.text == NULL)
		written.fault = "the master has no memory for the dump";
	else if ((size_t)status.st_size > DUMP_MOST)
		written.fault = "the dump is too long: the rest of it is left out";
	return written;
}

/* Writes what is missing of the dump, and why. Returns text, or NULL if nothing is. */
static const char *
explain_lost(const struct dump *dump, const char *fault, char *text, size_t size)
{
	unsigned silent = dump->expected - dump->done - dump->missed;
	int length = 0;

	if (silent > 0)
		length = snprintf(text, size,
			"%u of %u hubs did not answer: they hang, and the log has their backtrace",
			silent, dump->expected);
	if (dump->missed > 0)
		length += snprintf(text + length, size - (size_t)length,
			"%s%u of %u hubs had no file descriptor left (raise the limit: %s)",
			length > 0 ? "; " : "", dump->missed, dump->expected, nofile_advice_here());
	if (fault != NULL)
		length += snprintf(text + length, size - (size_t)length, "%s%s",
			length > 0 ? "; " : "", fault);
	return length > 0 ? text : NULL;
}

/* Ends the dump with what the hubs have written by now. */
static void
finish(struct dump *dump)
{
	struct written written = read_written(dump->file);
	char lost[512];

	ev_timer_stop(dump->master->loop, &dump->over);
	dump->on_over(dump, written.text, written.size,
		explain_lost(dump, written.fault, lost, sizeof lost));
	free(written.text);
	close(dump->file);
	dump->file = -1;
}

static void
on_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	finish(timer->data);
}

/* Adds hubs to a count of the dump under way, if it is the dump of that number. A worker may answer
 * twice, but for no more hubs than are awaited. */
static void
count(struct dump *dump, int64_t number, unsigned *counted, unsigned hubs)
{
	unsigned awaited = dump->expected - dump->done - dump->missed;

	if (dump->file == -1 || number != dump->number)
		return;
	*counted += hubs < awaited ? hubs : awaited;
	if (dump->done + dump->missed == dump->expected)
		finish(dump);
}

void
dump_done(struct dump *dump, int64_t number)
{
	count(dump, number, &dump->done, 1);
}

void
dump_missed(struct dump *dump, int64_t number, unsigned hubs)
{
	count(dump, number, &dump->missed, hubs);
}

int
dump_begin(struct dump *dump)
{
	struct master *master = dump->master;

	if (dump->file != -1)
		return 0;
	dump->file = memfd_create("hubbub-stacks", MFD_CLOEXEC);
	if (dump->file == -1)
		return -1;
	/* All hubs write to it at the same time: appending keeps their texts whole. */
	fcntl(dump->file, F_SETFL, O_APPEND);
	dump->done = dump->missed = 0;
	dump->expected = fleet_dump(&master->fleet, dump->file, ++dump->number);
	timer_after(master->loop, &dump->over, dump->expected > 0 ? DUMP_TIME : 0.);
	return 0;
}

void
dump_init(struct dump *dump, struct master *master, dump_heard *on_dump_over)
{
	*dump = (struct dump){.master = master, .on_over = on_dump_over, .file = -1};
	ev_init(&dump->over, on_over);
	ev_set_priority(&dump->over, -1);
	dump->over.data = dump;
}

void
dump_fini(struct dump *dump)
{
	ev_timer_stop(dump->master->loop, &dump->over);
	if (dump->file != -1)
		close(dump->file);
	dump->file = -1;
}

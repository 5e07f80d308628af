/* Hubs answer by the dump's number, so that a late answer to an earlier dump is known. */
#include "master/face/dump.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "master/base/timer.h"
#include "master/master.h"
#include "worker/nofile.h"

#define DUMP_TIME 3. /* seconds for hubs to write their coroutines */

/* Writes how many hubs have not written, and why. Returns text, or NULL if all have. */
static const char *
explain_lost(const struct dump *dump, char *text, size_t size)
{
	unsigned silent = dump->expected - dump->done - dump->missed;
	int length = 0;

	if (silent > 0)
		length = snprintf(text, size,
			"%u of %u hubs did not answer: they hang, and the log has their backtrace",
			silent, dump->expected);
	if (dump->missed > 0)
		snprintf(text + length, size - (size_t)length,
			"%s%u of %u hubs had no file descriptor left (raise the limit: %s)",
			length > 0 ? "; " : "", dump->missed, dump->expected, nofile_advice_here());
	return silent > 0 || dump->missed > 0 ? text : NULL;
}

/* Ends the dump with what the hubs have written by now. */
static void
finish(struct dump *dump)
{
	struct stat status;
	char *text = MAP_FAILED, lost[384];
	size_t size = 0;

	ev_timer_stop(dump->master->loop, &dump->over);
	if (fstat(dump->file, &status) == 0 && status.st_size > 0) {
		size = (size_t)status.st_size;
		text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, dump->file, 0);
	}
	dump->on_over(
		dump, text, text != MAP_FAILED ? size : 0, explain_lost(dump, lost, sizeof lost));
	if (text != MAP_FAILED)
		munmap(text, size);
	close(dump->file);
	dump->file = -1;
}

static void
on_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	finish(timer->data);
}

/* Adds hubs to a count of the dump under way, if it is the dump of that number. */
static void
count(struct dump *dump, int64_t number, unsigned *counted, unsigned hubs)
{
	if (dump->file == -1 || number != dump->number)
		return;
	*counted += hubs;
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

/* One allocation with a message for each hub. Each hub formats its lines in a memfd and appends
 * them to the file with a single write, so that they stay together beside other writers. The last
 * hub closes the file and frees the allocation. */
#include "worker/stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "hub/base/log.h"
#include "worker/thread.h"

/* The message to one hub. */
struct part {
	struct hub_message message;
	struct worker_thread *thread;
	struct stacks *stacks;
};

struct stacks {
	int file;       /* owned; the last hub closes it */
	unsigned left;  /* hubs that have not written yet; atomic */
	int64_t number; /* of the request, given back to the master */
	struct part parts[];
};

static void
write_lines(const struct worker_thread *thread, int file)
{
	dprintf(file, "hub %u of worker %u (pid %d)\n", thread->index, thread->heritage->index,
		(int)getpid());
	hub_dump(file);
}

/* Writes all lines with a single write. Returns false if there is no memory or file descriptor. */
static bool
write_at_once(const struct worker_thread *thread, int file)
{
	int lines = memfd_create("stacks", MFD_CLOEXEC);
	char *text = MAP_FAILED;
	size_t size = 0;
	struct stat status;

	if (lines == -1)
		return false;
	write_lines(thread, lines);
	if (fstat(lines, &status) == 0 && status.st_size > 0) {
		size = (size_t)status.st_size;
		text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, lines, 0);
	}
	close(lines);
	if (text == MAP_FAILED)
		return false;
	if (write(file, text, size) != (ssize_t)size)
		log_debug("the stacks of hub %u are not whole", thread->index);
	munmap(text, size);
	return true;
}

static void
deliver(struct hub_message *message)
{
	struct part *part = CONTAINER_OF(message, struct part, message);
	struct stacks *stacks = part->stacks;

	/* hub_dump writes the coroutines of the hub that calls it. */
	CHECK(thread_is_here(part->thread));
	/* The fallback may mix the lines with those of other writers to the file. */
	if (!write_at_once(part->thread, stacks->file))
		write_lines(part->thread, stacks->file);
	thread_report(part->thread, CHANNEL_DUMPED, stacks->number);
	if (__atomic_sub_fetch(&stacks->left, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	close(stacks->file);
	free(stacks);
}

bool
stacks_write(struct worker_thread *threads, unsigned count, int file, int64_t number)
{
	struct stacks *stacks = malloc(sizeof *stacks + count * sizeof *stacks->parts);

	if (stacks == NULL)
		return false;
	stacks->file = file;
	stacks->left = count;
	stacks->number = number;
	for (unsigned i = 0; i < count; i++) {
		stacks->parts[i] = (struct part){{NULL, deliver}, &threads[i], stacks};
		hub_mailbox_post(threads[i].mailbox, &stacks->parts[i].message);
	}
	return true;
}

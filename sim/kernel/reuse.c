/* A number that is used again is one end of a pair of Unix sockets, with a byte to read. */
#include "sim/kernel/reuse_priv.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/stream_connect_priv.h"
#include "sim/kernel/stream_priv.h"
#include "sim/world/world_priv.h"

#define TIME_BITS 33 /* of nanoseconds: less than 9 s */

struct stranger {
	struct list link; /* in strangers */
	int fd, other;
	struct file *file, *other_file; /* a reference each */
	bool has_ended;
};

static struct list strangers = {&strangers, &strangers};

static void
look_at(const struct stranger *stranger)
{
	struct file *file = stranger->file, *other = stranger->other_file;

	if (files_get(stranger->fd) != file)
		world_fail("descriptor %d was closed twice: its number was used again meanwhile",
			stranger->fd);
	else if (other->kind->waiting(other) != 0)
		world_fail("%ld bytes were written to descriptor %d after it was closed, and its "
			   "number used again",
			other->kind->waiting(other), stranger->fd);
	else if (file->kind->waiting(file) != 1)
		world_fail("descriptor %d was read after it was closed, and its number used again",
			stranger->fd);
}

static void
end(struct stranger *stranger)
{
	if (stranger->has_ended)
		return;
	stranger->has_ended = true;
	list_remove(&stranger->link);
	look_at(stranger);
	if (files_get(stranger->fd) == stranger->file)
		files_close(stranger->fd);
	if (files_get(stranger->other) == stranger->other_file)
		files_close(stranger->other);
	file_release(stranger->file);
	file_release(stranger->other_file);
}

static void
time_is_over(void *object)
{
	end(object);
	free(object);
}

void
reuse(int fd)
{
	struct stranger *stranger;
	struct file *files[2];
	bool has_memory;
	char byte = 0;
	const struct iovec part = {&byte, 1};
	struct transfer transfer = {.parts = &part, .count = 1, .length = 1};

	if (world_draw(2) == 0 || files_get(fd) != NULL ||
		files_count() + 2 > world_options()->files)
		return;
	stranger = calloc(1, sizeof *stranger);
	files[0] = stream_new(AF_UNIX);
	files[1] = stream_new(AF_UNIX);
	has_memory = stranger != NULL && files[0] != NULL && files[1] != NULL &&
		     stream_join(files[0], files[1]);
	CHECK_WHY(has_memory, "no memory for a simulated world");
	file_hold(files[0]);
	file_hold(files[1]);
	*stranger = (struct stranger){.fd = files_replace(fd, files[0]),
		.other = files_open(files[1], FILES_FIRST, true),
		.file = files[0],
		.other_file = files[1]};
	list_append(&strangers, &stranger->link);
	files[1]->kind->send(files[1], &transfer);
	world_note("its number is used again", 0, 0, 0);
	world_after((int64_t)world_draw_wide(TIME_BITS), time_is_over, stranger);
}

void
reuse_end(void)
{
	LIST_EACH (link, &strangers)
		end(CONTAINER_OF(link, struct stranger, link));
}

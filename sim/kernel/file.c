/* Files are counted references: each descriptor is one, and whatever happens later to a file holds
 * another. The table is an array; the lowest free number is searched from the last one closed. */
#include "sim/kernel/file_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "sim/world/world_priv.h"

struct place *files_places; /* owned */
int files_size;

static struct {
	int lowest; /* no place below is free */
	int count;
	unsigned long inodes; /* files ever */
} table;

/* ---- files ---- */

void (*file_watcher)(int fd);
void (*file_closes)(int fd);

static const char *
words_of(const struct file_kind *kind, int family)
{
	bool is_unix = family == AF_UNIX;

	switch (kind->socket_type) {
	case SOCK_STREAM:
		return is_unix ? "Unix socket" : "TCP socket";
	case SOCK_DGRAM:
		return is_unix ? "Unix datagram socket" : "UDP socket";
	default:
		return kind->what;
	}
}

void
file_init(struct file *file, const struct file_kind *kind, int family)
{
	*file = (struct file){.kind = kind,
		.what = words_of(kind, family),
		.references = 1,
		.access = O_RDWR,
		.family = family,
		.inode = ++table.inodes};
	list_init(&file->members);
}

void
file_hold(struct file *file)
{
	file->references++;
}

void
file_release(struct file *file)
{
	DCHECK(file->references > 0);
	if (--file->references == 0)
		free(file);
}

void
file_changed(struct file *file)
{
	if (file_watcher != NULL && file->descriptors == 1)
		file_watcher(file->fd);
	for (int i = 0; file_watcher != NULL && file->descriptors > 1 && i < files_size; i++)
		if (files_places[i].file == file)
			file_watcher(FILES_FIRST + i);
	LIST_EACH (link, &file->members) {
		struct file_member *member = CONTAINER_OF(link, struct file_member, link);

		member->changed(member);
	}
}

/* The last descriptor is closed. */
static void
file_end(struct file *file)
{
	while (!list_is_empty(&file->members)) {
		struct file_member *member =
			CONTAINER_OF(file->members.next, struct file_member, link);

		member->closed(member);
	}
	if (file->kind->free != NULL)
		file->kind->free(file);
}

void
file_depart(struct file *file)
{
	file->on_way++;
	file_hold(file);
}

void
file_arrive(struct file *file)
{
	if (--file->on_way == 0 && file->descriptors == 0)
		file_end(file);
	file_release(file);
}

/* ---- the table ---- */

void
files_begin(int most)
{
	files_size = most;
	files_places = calloc((size_t)most, sizeof *files_places);
	CHECK_WHY(files_places != NULL, "no memory for a simulated world");
	table.lowest = table.count = 0;
	table.inodes = 0;
}

void
files_end(void)
{
	for (int i = 0; i < files_size; i++) {
		const struct file *file = files_places[i].file;

		if (file == NULL)
			continue;
		world_fail("%s %d is still open", file->what, FILES_FIRST + i);
		files_close(FILES_FIRST + i);
	}
}

void
files_free(void)
{
	free(files_places);
	files_places = NULL;
	files_size = 0;
}

static struct place *
place_of(int fd)
{
	return fd >= FILES_FIRST && fd - FILES_FIRST < files_size ? &files_places[fd - FILES_FIRST]
								  : NULL;
}

static void
take(struct place *place, struct file *file, bool is_cloexec)
{
	*place = (struct place){file, is_cloexec, world_core.process};
	file->fd = FILES_FIRST + (int)(place - files_places);
	file->descriptors++;
	table.count++;
}

int
files_open(struct file *file, int first, bool is_cloexec)
{
	int at = first > FILES_FIRST ? first - FILES_FIRST : 0;

	if (at < table.lowest)
		at = table.lowest;
	while (at < files_size && files_places[at].file != NULL)
		at++;
	if (at >= files_size)
		return failed(EMFILE);
	if (first <= FILES_FIRST + table.lowest)
		table.lowest = at + 1;
	take(&files_places[at], file, is_cloexec);
	file_note(file, FILES_FIRST + at, "is opened", 0, 0);
	return FILES_FIRST + at;
}

static int
other_descriptor(const struct file *file)
{
	int at = 0;

	while (files_places[at].file != file)
		at++;
	return FILES_FIRST + at;
}

int
files_close(int fd)
{
	struct place *place = place_of(fd);
	struct file *file = files_get(fd);

	if (file == NULL)
		return -1;
	if (file_closes != NULL)
		file_closes(fd);
	place->file = NULL;
	table.count--;
	if (fd - FILES_FIRST < table.lowest)
		table.lowest = fd - FILES_FIRST;
	file_note(file, fd, "is closed", 0, 0);
	if (--file->descriptors == 0 && file->on_way == 0)
		file_end(file);
	else if (file->descriptors == 1)
		file->fd = other_descriptor(file);
	file_release(file);
	return 0;
}

int
files_replace(int fd, struct file *file)
{
	struct place *place = place_of(fd);

	if (place == NULL)
		return failed(EBADF);
	if (place->file != NULL)
		files_close(fd);
	take(place, file, false);
	return fd;
}

bool
files_is_cloexec(int fd)
{
	return place_of(fd)->is_cloexec;
}

void
files_set_cloexec(int fd, bool is_cloexec)
{
	place_of(fd)->is_cloexec = is_cloexec;
}

int
files_count(void)
{
	return table.count;
}

void
files_close_all(long process)
{
	for (int i = 0; i < files_size; i++)
		if (files_places[i].file != NULL && files_places[i].process == process)
			files_close(FILES_FIRST + i);
}

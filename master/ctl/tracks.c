/* A ring may be overwritten while it is read, given to another process, or have no memory any more:
 * each record says by its number whether it is still the one that is wanted, and each ring by its
 * life whose it is. A mad worker may have written anything into its ring: no number in it is
 * trusted, and the file has each ring as a whole, since it is sealed against getting shorter. */
#include "master/ctl/tracks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

static bool
is_known(const struct tracks *tracks, unsigned long inode)
{
	for (size_t i = 0; i < tracks->source_count; i++)
		if (tracks->sources[i].inode == inode)
			return true;
	return false;
}

static uint64_t
life_of(const struct recorders_head *head, uint32_t seat)
{
	return __atomic_load_n(&head->seats[seat].life, __ATOMIC_ACQUIRE);
}

/* A track for the ring on that seat. Returns false without memory. */
static bool
add_track(struct tracks *tracks, size_t source, uint32_t seat, bool is_past)
{
	size_t size = tracks->sources[source].ring_size;
	struct track *track = calloc(1, sizeof *track), **grown;
	uint64_t written;

	grown = realloc(tracks->items, (tracks->count + 1) * sizeof *grown);
	if (grown != NULL)
		tracks->items = grown;
	if (grown == NULL || track == NULL) {
		free(track);
		return false;
	}
	track->head = tracks->sources[source].head;
	track->life = life_of(track->head, seat);
	track->seat = seat;
	track->size = size;
	track->room = flight_records(size);
	track->ring = mmap(NULL, size, PROT_READ, MAP_SHARED, tracks->sources[source].fd,
		(off_t)(RECORDERS_HEAD + seat * size));
	if (track->ring == MAP_FAILED) {
		free(track);
		return false;
	}
	written = flight_written(track->ring);
	track->next = !is_past ? written : written > track->room ? written - track->room : 0;
	track->lost = is_past ? track->next : 0;
	tracks->items[tracks->count++] = track;
	return true;
}

static bool
has_track(const struct tracks *tracks, const struct recorders_head *head, uint32_t seat)
{
	for (size_t i = 0; i < tracks->count; i++)
		if (tracks->items[i]->head == head && tracks->items[i]->seat == seat &&
			tracks->items[i]->life == life_of(head, seat))
			return true;
	return false;
}

/* Adds the rings that have been claimed since the last time, as far as the file has them. */
static bool
find_tracks(struct tracks *tracks, size_t source, bool is_past)
{
	const struct recorders_head *head = tracks->sources[source].head;
	uint32_t used = __atomic_load_n(&head->used, __ATOMIC_ACQUIRE);
	struct stat status;
	size_t there;

	if (fstat(tracks->sources[source].fd, &status) != 0)
		return false;
	there = ((size_t)status.st_size - RECORDERS_HEAD) / tracks->sources[source].ring_size;
	for (uint32_t seat = 0; seat < used && seat < RECORDERS_MAX && seat < there; seat++)
		if (life_of(head, seat) != 0 && !has_track(tracks, head, seat) &&
			tracks->count < TRACKS_MOST && !add_track(tracks, source, seat, is_past))
			return false;
	return true;
}

/* Whether it is long enough for a head, and cannot get shorter, which would be SIGBUS here. */
static bool
is_whole(int fd, struct stat *status)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return fstat(fd, status) == 0 && status->st_size >= (off_t)RECORDERS_HEAD && seals != -1 &&
	       (seals & F_SEAL_SHRINK) != 0;
}

static bool
is_of_this_version(const struct recorders_head *head)
{
	return head->magic == RECORDERS_MAGIC && head->version == RECORDERS_VERSION &&
	       head->ring_size % RECORDERS_ALIGN == 0 && flight_records(head->ring_size) != 0 &&
	       head->ring_size <= FLIGHT_HEAD + RECORDERS_SIZE_MOST + RECORDERS_ALIGN;
}

const char *
tracks_add(struct tracks *tracks, int fd, bool is_past)
{
	const struct recorders_head *head;
	struct stat status;

	if (!is_whole(fd, &status)) {
		close(fd);
		return "the server has passed something else than its flight recorder";
	}
	if (is_known(tracks, status.st_ino) || tracks->source_count == TRACKS_SOURCES) {
		close(fd);
		return NULL;
	}
	head = mmap(NULL, RECORDERS_HEAD, PROT_READ, MAP_SHARED, fd, 0);
	if (head == MAP_FAILED) {
		close(fd);
		return strerror(errno);
	}
	if (!is_of_this_version(head)) {
		munmap((void *)(uintptr_t)head, RECORDERS_HEAD);
		close(fd);
		return "the server is of another version; use the hubbub-ctl that belongs to it";
	}
	tracks->sources[tracks->source_count].head = head;
	tracks->sources[tracks->source_count].ring_size = head->ring_size;
	tracks->sources[tracks->source_count].fd = fd;
	tracks->sources[tracks->source_count].inode = status.st_ino;
	return find_tracks(tracks, tracks->source_count++, is_past) ? NULL : "no memory";
}

/* ---- records ---- */

static bool
make_room(struct track *track)
{
	size_t capacity = track->capacity > 0 ? 2 * track->capacity : 1024;
	struct flight_record *grown;

	if (track->count < track->capacity)
		return true;
	grown = realloc(track->records, capacity * sizeof *grown);
	if (grown == NULL)
		return false;
	track->records = grown;
	track->capacity = capacity;
	return true;
}

/* Copies names while the ring is that process's, and says whose it is. */
static void
read_names(struct track *track)
{
	uint32_t named = __atomic_load_n(&track->ring->named, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < named && i < FLIGHT_NAMES; i++)
		if (track->names[i][0] == '\0' || track->names[i][0] == '0')
			flight_read_name(track->ring, i, track->names[i]);
	track->pid = track->ring->pid;
	track->worker = track->ring->worker;
	track->hub = track->ring->hub;
	track->generation = track->ring->generation;
}

/* Copies the records up to that number. Returns false without memory. */
static bool
read_records(struct tracks *tracks, struct track *track, uint64_t written)
{
	for (; track->next < written; track->next++) {
		if (tracks->taken >= tracks->most) {
			tracks->is_full = true;
			return true;
		}
		if (!make_room(track))
			return false;
		if (flight_read(track->ring, track->room, track->next,
			    &track->records[track->count]) != FLIGHT_FOUND) {
			track->lost++;
			continue;
		}
		track->count++;
		tracks->taken++;
	}
	return true;
}

/* What is read while the ring changes hands may be another process's, and is dropped. Each load of
 * a record acquires, so the last look at the life comes after it. */
static bool
read_track(struct tracks *tracks, struct track *track)
{
	uint64_t written = flight_written(track->ring);
	size_t count = track->count;
	bool has_memory;

	if (life_of(track->head, track->seat) != track->life)
		return true;
	read_names(track);
	track->died = __atomic_load_n(&track->head->seats[track->seat].ended, __ATOMIC_ACQUIRE);
	if (written > track->room && written - track->room > track->next) {
		track->lost += written - track->room - track->next;
		track->next = written - track->room;
	}
	has_memory = read_records(tracks, track, written);
	if (life_of(track->head, track->seat) != track->life) {
		tracks->taken -= track->count - count;
		track->count = count;
	}
	return has_memory;
}

bool
tracks_read(struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->source_count; i++)
		if (!find_tracks(tracks, i, true))
			return false;
	for (size_t i = 0; i < tracks->count; i++)
		if (!read_track(tracks, tracks->items[i]))
			return false;
	return true;
}

void
tracks_free(struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->count; i++) {
		munmap((void *)(uintptr_t)tracks->items[i]->ring, tracks->items[i]->size);
		free(tracks->items[i]->records);
		free(tracks->items[i]);
	}
	free(tracks->items);
	for (size_t i = 0; i < tracks->source_count; i++) {
		munmap((void *)(uintptr_t)tracks->sources[i].head, RECORDERS_HEAD);
		close(tracks->sources[i].fd);
	}
	*tracks = (struct tracks){0};
}

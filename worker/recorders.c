/* The memfd in the master that has made it. It grows with the rings that are claimed, since a limit
 * on the size of files would refuse all of it at once. */
#include "worker/recorders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/memory.h"

struct recorders {
	int fd;
	struct recorders_head *head;
	uint32_t next; /* where the search for a place begins: behind the last one */
};

static off_t
place(const struct recorders_head *head, uint32_t index)
{
	return (off_t)(RECORDERS_HEAD + index * head->ring_size);
}

struct recorders *
recorders_new(size_t size)
{
	struct recorders *recorders = calloc(1, sizeof *recorders);
	int error;

	if (recorders == NULL)
		return NULL;
	recorders->head = memory_new("hubbub-recorders", RECORDERS_HEAD, &recorders->fd);
	/* Who may read it may not open it again to write. */
	if (recorders->head == NULL || fchmod(recorders->fd, 0600) != 0) {
		error = errno;
		recorders_free(recorders);
		errno = error;
		return NULL;
	}
	recorders->head->ring_size =
		(FLIGHT_HEAD + size + RECORDERS_ALIGN - 1) / RECORDERS_ALIGN * RECORDERS_ALIGN;
	recorders->head->version = RECORDERS_VERSION;
	recorders->head->magic = RECORDERS_MAGIC;
	return recorders;
}

void
recorders_free(struct recorders *recorders)
{
	if (recorders == NULL)
		return;
	memory_free((void **)&recorders->head, RECORDERS_HEAD);
	if (recorders->fd != -1)
		close(recorders->fd);
	free(recorders);
}

/* ---- places ---- */

/* Whether so many neighbours are nobody's; or, if takes_dead, at least no living process's. */
static bool
is_free(const struct recorders_head *head, uint32_t first, uint32_t count, bool takes_dead)
{
	for (uint32_t i = first; i < first + count; i++)
		if (head->seats[i].life != 0 && !(takes_dead && head->seats[i].ended != 0))
			return false;
	return true;
}

/* The first free place from `next` on, so that the dead are kept as long as possible. */
static int
find(const struct recorders *recorders, uint32_t count, bool takes_dead)
{
	uint32_t places = count <= RECORDERS_MAX ? RECORDERS_MAX - count + 1 : 0;

	for (uint32_t i = 0; i < places; i++) {
		uint32_t first = (recorders->next + i) % places;

		if (is_free(recorders->head, first, count, takes_dead))
			return (int)first;
	}
	return -1;
}

/* Makes the memory of a ring zero, and gives it back. */
static void
clear(struct recorders *recorders, uint32_t index)
{
	__atomic_store_n(&recorders->head->seats[index].life, 0, __ATOMIC_RELEASE);
	if (index < recorders->head->used &&
		fallocate(recorders->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			place(recorders->head, index), (off_t)recorders->head->ring_size) != 0)
		CHECK_WHY(errno != EBADF, "a memfd that is closed");
}

int
recorders_claim(struct recorders *recorders, uint32_t count)
{
	struct recorders_head *head;
	int first;

	errno = ENOSPC;
	if (recorders == NULL)
		return -1;
	head = recorders->head;
	first = find(recorders, count, false);
	if (first == -1)
		first = find(recorders, count, true);
	if (first == -1 ||
		!memory_grow(recorders->fd, (size_t)place(head, (uint32_t)first + count)))
		return -1;
	for (uint32_t i = (uint32_t)first; i < (uint32_t)first + count; i++) {
		clear(recorders, i);
		__atomic_store_n(&head->seats[i].ended, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&head->seats[i].life, ++head->lives, __ATOMIC_RELEASE);
	}
	recorders->next = (uint32_t)first + count;
	if (head->used < recorders->next)
		__atomic_store_n(&head->used, recorders->next, __ATOMIC_RELEASE);
	return first;
}

struct flight_ring *
recorders_map(const struct recorders *recorders, int first, uint32_t count)
{
	void *rings;

	if (recorders == NULL || first == -1)
		return NULL;
	CHECK_WHY((uint32_t)first + count <= recorders->head->used, "rings that were not claimed");
	rings = mmap(NULL, count * recorders->head->ring_size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE, recorders->fd, place(recorders->head, (uint32_t)first));
	if (rings == MAP_FAILED)
		return NULL;
	madvise(rings, count * recorders->head->ring_size, MADV_DONTDUMP);
	return rings;
}

void
recorders_unmap(const struct recorders *recorders, struct flight_ring *rings, uint32_t count)
{
	if (rings != NULL)
		munmap(rings, count * recorders->head->ring_size);
}

void
recorders_bury(struct recorders *recorders, int first, uint32_t count)
{
	if (recorders == NULL || first == -1)
		return;
	CHECK((uint32_t)first + count <= RECORDERS_MAX);
	for (uint32_t i = (uint32_t)first; i < (uint32_t)first + count; i++)
		__atomic_store_n(&recorders->head->seats[i].ended, clock_now(), __ATOMIC_RELEASE);
}

void
recorders_sweep(struct recorders *recorders, int64_t now)
{
	for (uint32_t i = 0; recorders != NULL && i < recorders->head->used; i++) {
		const struct recorders_seat *seat = &recorders->head->seats[i];

		if (seat->life != 0 && seat->ended != 0 && now - seat->ended > RECORDERS_KEPT)
			clear(recorders, i);
	}
}

/* ---- who records, and who reads ---- */

void
recorders_extend(struct recorders *recorders, int64_t until)
{
	if (recorders != NULL && recorders->head->until < until)
		__atomic_store_n(&recorders->head->until, until, __ATOMIC_RELAXED);
}

void
recorders_protect(const struct recorders_head *head)
{
	/* Where the system refuses it, the worker works as well. */
	if (head != NULL)
		mprotect((void *)(uintptr_t)head, RECORDERS_HEAD, PROT_READ);
}

struct recorders_head *
recorders_head(const struct recorders *recorders)
{
	return recorders != NULL ? recorders->head : NULL;
}

int
recorders_reader(const struct recorders *recorders)
{
	char path[48];

	if (recorders == NULL) {
		errno = ENOENT;
		return -1;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", recorders->fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

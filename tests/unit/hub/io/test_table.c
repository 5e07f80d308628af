/* The table of descriptors: its generations, and the memory that it gives back. */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/io/fd_priv.h"
#include "hub/io/table_priv.h"
#include "tests/support/in_hub.h"

/* A chunk's worth, and some. */
#define NUMBERS (FD_CHUNK + 40)
#define FIRST (2 * FD_CHUNK)

/* What the table has at some moment. */
struct snapshot {
	unsigned idle;
	fd_generation generation; /* of one entry */
	size_t pages;             /* of its chunk */
};

static struct {
	struct snapshot full, closed, soon, later, again;
	bool is_unique;
	bool comes_back;
} seen;

/* How many pages of a chunk take memory. */
static size_t
pages_of(const struct hub_fd *entries)
{
	unsigned char is_there[FD_CHUNK * sizeof *entries / 4096];
	size_t count = 0;

	mincore((void *)(uintptr_t)entries, sizeof is_there * 4096, is_there);
	for (size_t i = 0; i < sizeof is_there; i++)
		count += is_there[i] & 1;
	return count;
}

static struct snapshot
look(const struct hub_fd *entry)
{
	return (struct snapshot){
		hub_this->fds.idle, entry->generation, pages_of(fd_entry(hub_this, FIRST))};
}

static void *
trim_body(void *argument)
{
	int event = eventfd(0, EFD_CLOEXEC);
	struct hub_fd *entry;

	seen.is_unique = true;
	for (int fd = FIRST; fd < FIRST + NUMBERS; fd++) {
		dup2(event, fd);
		hub_adopt(fd);
		seen.is_unique &=
			fd_entry(hub_this, fd)->generation > fd_entry(hub_this, fd - 1)->generation;
	}
	entry = fd_entry(hub_this, FIRST + 7);
	seen.full = look(entry);
	for (int fd = FIRST; fd < FIRST + NUMBERS; fd++)
		hub_close(fd);
	seen.closed = look(entry);
	fd_table_trim(hub_this, 60 * CLOCK_SECOND);
	seen.soon = look(entry);
	/* A minute later. */
	hub_this->now += 61 * CLOCK_SECOND;
	fd_table_trim(hub_this, 60 * CLOCK_SECOND);
	seen.later.idle = hub_this->fds.idle;
	seen.later.pages = pages_of(fd_entry(hub_this, FIRST));
	seen.later.generation = entry->generation;
	dup2(event, FIRST + 7);
	seen.comes_back = hub_adopt(FIRST + 7) == 0;
	seen.again = look(entry);
	seen.comes_back &= hub_write(FIRST + 7, "\1\0\0\0\0\0\0\0", 8) == 8;
	hub_close(FIRST + 7);
	hub_close(event);
	return argument;
}

Test(table, memory_goes_back_a_minute_after_the_last_descriptor)
{
	in_hub(trim_body, NULL);
	cr_assert(seen.is_unique);
	cr_assert_eq(seen.full.pages, FD_CHUNK * sizeof(struct hub_fd) / 4096);
	cr_assert_eq(seen.closed.idle, 2);
	cr_assert_eq(seen.soon.idle, 2);
	cr_assert_eq(seen.later.idle, 0);
	if (!on_valgrind())
		cr_assert_eq(seen.later.pages, 0);
	cr_assert_gt(seen.full.generation, 0);
	cr_assert_eq(seen.closed.generation, 0);
	cr_assert_eq(seen.later.generation, 0);
	cr_assert(seen.comes_back);
	cr_assert_gt(seen.again.generation, seen.full.generation);
	cr_assert_eq(seen.again.idle, 0);
}

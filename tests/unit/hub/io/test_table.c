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

struct record {
	unsigned idle[4];
	fd_generation generations[4];
	size_t pages[2];
	bool is_unique;
	bool comes_back;
};

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

static void *
trim_body(void *argument)
{
	struct record *record = argument;
	int event = eventfd(0, EFD_CLOEXEC);
	struct hub_fd *entry;

	record->is_unique = true;
	for (int fd = FIRST; fd < FIRST + NUMBERS; fd++) {
		dup2(event, fd);
		hub_adopt(fd);
		record->is_unique &=
			fd_entry(hub_this, fd)->generation > fd_entry(hub_this, fd - 1)->generation;
	}
	entry = fd_entry(hub_this, FIRST + 7);
	record->generations[0] = entry->generation;
	record->pages[0] = pages_of(fd_entry(hub_this, FIRST));
	for (int fd = FIRST; fd < FIRST + NUMBERS; fd++)
		hub_close(fd);
	record->idle[0] = hub_this->fds.idle;
	record->generations[1] = entry->generation;
	fd_table_trim(hub_this, 60 * CLOCK_SECOND);
	record->idle[1] = hub_this->fds.idle;
	/* A minute later. */
	hub_this->now += 61 * CLOCK_SECOND;
	fd_table_trim(hub_this, 60 * CLOCK_SECOND);
	record->idle[2] = hub_this->fds.idle;
	record->pages[1] = pages_of(fd_entry(hub_this, FIRST));
	record->generations[2] = entry->generation;
	dup2(event, FIRST + 7);
	record->comes_back = hub_adopt(FIRST + 7) == 0;
	record->generations[3] = entry->generation;
	record->comes_back &= hub_write(FIRST + 7, "\1\0\0\0\0\0\0\0", 8) == 8;
	record->idle[3] = hub_this->fds.idle;
	hub_close(FIRST + 7);
	hub_close(event);
	return NULL;
}

Test(table, memory_goes_back_a_minute_after_the_last_descriptor)
{
	struct record record = {0};

	in_hub(trim_body, &record);
	cr_assert(record.is_unique);
	cr_assert_eq(record.pages[0], FD_CHUNK * sizeof(struct hub_fd) / 4096);
	cr_assert_eq(record.idle[0], 2);
	cr_assert_eq(record.idle[1], 2);
	cr_assert_eq(record.idle[2], 0);
	if (!on_valgrind())
		cr_assert_leq(record.pages[1], 0);
	cr_assert_gt(record.generations[0], 0);
	cr_assert_eq(record.generations[1], 0);
	cr_assert_eq(record.generations[2], 0);
	cr_assert(record.comes_back);
	cr_assert_gt(record.generations[3], record.generations[0]);
	cr_assert_eq(record.idle[3], 0);
}

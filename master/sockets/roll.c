/* A roll is a memfd: the next master maps it by the file descriptor that it inherits, and so reads
 * it even if the master that wrote it is dead. */
#include "master/sockets/roll.h"

#include <string.h>

#include "hub/base/check.h"
#include "hub/base/memory.h"
#include "master/sockets/steering.h"

/* Two pages: the writer fills the one that is not current, and then makes it current by one atomic
 * store. So a writer that dies at any point leaves a whole page. */
struct roll {
	unsigned current;
	struct {
		unsigned count;
		unsigned order[STEERING_MEMBERS_MAX];
	} pages[2];
};

struct roll *
roll_new(int *fd)
{
	return memory_new("hubbub-roll", sizeof(struct roll), fd);
}

struct roll *
roll_map(int fd)
{
	return memory_map(fd, sizeof(struct roll));
}

void
roll_free(struct roll **roll)
{
	memory_free((void **)roll, sizeof **roll);
}

void
roll_write(struct roll *roll, const unsigned *order, unsigned count)
{
	unsigned next = 1 - __atomic_load_n(&roll->current, __ATOMIC_RELAXED) % 2;

	CHECK(count <= STEERING_MEMBERS_MAX);
	memcpy(roll->pages[next].order, order, count * sizeof *order);
	roll->pages[next].count = count;
	__atomic_store_n(&roll->current, next, __ATOMIC_RELEASE);
}

unsigned
roll_read(const struct roll *roll, unsigned *order)
{
	unsigned current = __atomic_load_n(&roll->current, __ATOMIC_ACQUIRE) % 2;
	unsigned count = roll->pages[current].count;

	if (count > STEERING_MEMBERS_MAX)
		count = STEERING_MEMBERS_MAX;
	memcpy(order, roll->pages[current].order, count * sizeof *order);
	return count;
}

/* Processes take and give the permits of all rows, and each counts in a row of its own, while
 * others read: no permit is ever held twice, and a reader never sees more connections closed than
 * opened. With a plain main, for emulators of weakly ordered machines. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/counters.h"

enum { PROCESSES = 4, LOOPS = 100000, PERMITS = 5 };

static struct shared {
	struct worker_row rows[PROCESSES];
	_Alignas(64) atomic_long held;
	atomic_long too_many, negative;
	atomic_int ended;
} * shared;

static void
take_and_give(struct worker_row *from, struct worker_row *own, int64_t most)
{
	int64_t taken = counters_take_permits(from, most);

	if (atomic_fetch_add(&shared->held, taken) + taken > PROCESSES * PERMITS)
		atomic_fetch_add(&shared->too_many, 1);
	counters_add(&own->opened, (uint64_t)taken);
	counters_add(&own->closed, (uint64_t)taken);
	atomic_fetch_sub(&shared->held, taken);
	counters_give_permits(from, taken);
}

static _Noreturn void
work(unsigned index)
{
	unsigned seed = index + 1;

	for (int i = 0; i < LOOPS; i++) {
		seed = seed * 1103515245 + 12345;
		take_and_give(&shared->rows[seed >> 16 & (PROCESSES - 1)], &shared->rows[index],
			1 + (seed >> 20 & 3));
	}
	atomic_fetch_add(&shared->ended, 1);
	_exit(0);
}

/* Reads until all processes have ended. */
static long
read_rows(void)
{
	long looks = 0;

	for (; atomic_load(&shared->ended) < PROCESSES; looks++)
		for (int i = 0; i < PROCESSES; i++)
			if ((int64_t)counters_open(&shared->rows[i]) < 0)
				atomic_fetch_add(&shared->negative, 1);
	return looks;
}

int
main(void)
{
	int64_t free = 0;
	long looks;

	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	for (unsigned i = 0; i < PROCESSES; i++)
		counters_give_permits(&shared->rows[i], PERMITS);
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			work(i);
	looks = read_rows();
	while (wait(NULL) > 0)
		continue;
	for (int i = 0; i < PROCESSES; i++)
		free += shared->rows[i].permits;
	printf("stress-permits: %ld looks, %ld times too many held, %ld times negative, %ld free\n",
		looks, shared->too_many, shared->negative, (long)free);
	return shared->too_many == 0 && shared->negative == 0 && free == PROCESSES * PERMITS ? 0
											     : 1;
}

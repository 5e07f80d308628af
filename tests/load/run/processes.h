/* The generator processes of one run, as their parent sees them. */
#ifndef HUBBUB_LOAD_PROCESSES_H
#define HUBBUB_LOAD_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/load/ask/load.h"
#include "tests/load/count/segment.h"

struct processes {
	const struct load *load;
	struct segment *segment;
	pid_t pids[LOAD_PROCESSES_MAX];
	unsigned count; /* that were started */
	unsigned living;
};

/* Forks them; load and segment are set, the rest is zero. Returns false, with a message in trouble,
 * if not all could be: those that were are to be killed. */
bool processes_start(struct processes *processes, char *trouble, size_t size);

/* Awaits those that have ended. Returns false if one did so in a way that it should not. */
bool processes_reap(struct processes *processes);

/* Ends and awaits all. */
void processes_kill(struct processes *processes);

/* The state that the slowest thread is in. */
enum row_state processes_state(const struct processes *processes);

#endif

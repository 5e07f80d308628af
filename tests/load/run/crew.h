/* The generator processes of one run, as their parent sees them. */
#ifndef HUBBUB_LOAD_CREW_H
#define HUBBUB_LOAD_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/load/ask/load.h"
#include "tests/load/count/segment.h"

struct crew {
	const struct load *load;
	struct segment *segment;
	pid_t pids[LOAD_PROCESSES_MAX];
	unsigned count; /* that were started */
	unsigned living;
};

/* Forks them; load and segment are set, the rest is zero. Returns false, with a message in trouble,
 * if not all could be: those that were are to be killed. */
bool crew_start(struct crew *crew, char *trouble, size_t size);

/* Awaits those that have ended. Returns false if one did so in a way that it should not. */
bool crew_reap(struct crew *crew);

/* Ends and awaits all. */
void crew_kill(struct crew *crew);

/* The state that the slowest thread is in. */
enum row_state crew_state(const struct crew *crew);

#endif

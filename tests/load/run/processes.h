/* The generator processes of one run, from their parent's view. */
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
	/* 0: reaped. */
	pid_t pids[LOAD_PROCESSES_MAX];
	unsigned count;  /* processes that were started */
	unsigned living; /* processes that were started and not reaped */
};

/* Forks the processes; load and segment are set, the rest is zero. If one cannot be forked, returns
 * false with a message in trouble: those that were started must then be killed (processes_kill). */
bool processes_start(struct processes *processes, char *trouble, size_t size);

/* Reaps processes that have ended. Returns false if one did not end with exit code 0. Does not
 * block. */
bool processes_reap(struct processes *processes);

/* Kills all processes and waits for their end. */
void processes_kill(struct processes *processes);

/* The state of the thread that is furthest behind. */
enum row_state processes_state(const struct processes *processes);

#endif

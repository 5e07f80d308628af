/* A dump of the coroutines of a worker's hubs and where they wait, which the master asks for. */
#ifndef HUBBUB_WORKER_STACKS_H
#define HUBBUB_WORKER_STACKS_H

#include <stdbool.h>
#include <stdint.h>

struct worker_thread;

/* Makes each of count hubs write its coroutines to file, and report CHANNEL_DUMPED with number to
 * the master; the last hub closes file. Returns false if there is no memory: then no hub writes,
 * and file stays the caller's. Any thread, as long as the hubs take commands (thread_command). */
bool stacks_write(struct worker_thread *threads, unsigned count, int file, int64_t number);

#endif

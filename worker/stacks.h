/* Which coroutines the hubs of a worker have, and where they wait: written by each hub, when the
 * master asks. */
#ifndef HUBBUB_WORKER_STACKS_H
#define HUBBUB_WORKER_STACKS_H

#include <stdbool.h>
#include <stdint.h>

struct worker_thread;

/* Has each of these hubs write its coroutines to the file, and tell the master, with the number;
 * the last of them closes it. Returns false if there is no memory: then none will, and the file is
 * still the caller's. Any thread, while thread_command may be called. */
bool stacks_write(struct worker_thread *threads, unsigned count, int file, int64_t number);

#endif

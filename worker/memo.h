/* A memo: what a worker and its master leave for each other in memory that both have mapped, and
 * that needs no message. Each field has one writer. Master and worker are one program: unlike
 * counters, a memo is never read by another release. */
#ifndef HUBBUB_WORKER_MEMO_H
#define HUBBUB_WORKER_MEMO_H

#include <stdint.h>

struct worker_memo {
	/* Written by the master. */
	uint32_t workers; /* of the worker's generation */
};

/* Makes an empty memo, which children share. NULL with errno ENOMEM. */
struct worker_memo *memo_new(void);

/* Unmaps it here, and sets *memo to NULL; NULL is ignored. */
void memo_free(struct worker_memo **memo);

#endif

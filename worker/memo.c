/* A page of its own for each worker: it outlives the process, and a stray write of one worker leaves
 * the others' alone. */
#include "worker/memo.h"

#include <stddef.h>
#include <sys/mman.h>

struct worker_memo *
memo_new(void)
{
	void *page = mmap(NULL, sizeof(struct worker_memo), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED ? page : NULL;
}

void
memo_free(struct worker_memo **memo)
{
	if (*memo != NULL)
		munmap(*memo, sizeof **memo);
	*memo = NULL;
}

/* Memory that the hub has allocated, and not freed. */
#ifndef HUBBUB_SIM_BLOCKS_PRIV_H
#define HUBBUB_SIM_BLOCKS_PRIV_H

#include <stddef.h>

/* What malloc, calloc, realloc and free are in the hub's sources (CMakeLists.txt). */
void *blocks_malloc(size_t size);
void *blocks_calloc(size_t count, size_t size);
void *blocks_realloc(void *memory, size_t size);
void blocks_free(void *memory);

/* Frees what the process has: it has been killed. */
void blocks_forget(long process);

/* The run ends: what was allocated in it, and is still there, is a failure of the run. */
void blocks_end(void);

#endif

/* Memory that processes share: a memfd. A child has it by the fork, another program by the
 * descriptor. */
#ifndef HUBBUB_BASE_MEMORY_H
#define HUBBUB_BASE_MEMORY_H

#include <stddef.h>

#include "hub/base/inside.h"

/* Makes and maps so many bytes, all zero. *fd names them, and is the caller's. NULL with errno, and
 * *fd -1. */
void *memory_new(const char *name, size_t size, int *fd) HUB_INSIDE(memory_new);

/* Maps those of another process. NULL with errno, EPROTO if they are of another size. */
void *memory_map(int fd, size_t size) HUB_INSIDE(memory_map);

/* Unmaps them and nulls the pointer. A NULL pointer is ignored. */
void memory_free(void **memory, size_t size) HUB_INSIDE(memory_free);

#endif

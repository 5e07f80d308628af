/* Memory that processes share: a memfd. A child inherits the mapping; another program maps the file
 * descriptor. */
#ifndef HUBBUB_BASE_MEMORY_H
#define HUBBUB_BASE_MEMORY_H

#include <stddef.h>

#include "hub/base/inside.h"

/* Makes and maps size bytes, all zero. *fd is the memfd, which the caller closes. NULL with errno,
 * and *fd -1. */
void *memory_new(const char *name, size_t size, int *fd) HUB_INSIDE(memory_new);

/* Maps the memory behind another process's fd. NULL with errno; EPROTO if its size is not size. */
void *memory_map(int fd, size_t size) HUB_INSIDE(memory_map);

/* Unmaps the memory and sets the pointer to NULL. A pointer that is NULL is ignored. */
void memory_free(void **memory, size_t size) HUB_INSIDE(memory_free);

#endif

/* Memory that processes share: a memfd. A child inherits the mapping; another program maps the file
 * descriptor. */
#ifndef HUBBUB_BASE_MEMORY_H
#define HUBBUB_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "hub/base/inside.h"

/* Makes and maps size bytes, all zero. *fd is the memfd, which the caller closes. NULL with errno,
 * and *fd -1. */
void *memory_new(const char *name, size_t size, int *fd) HUB_INSIDE(memory_new);

/* The same for memory that grows: most bytes are mapped, of which the first least are there. */
void *memory_new_growing(const char *name, size_t least, size_t most, int *fd)
	HUB_INSIDE(memory_new_growing);

/* Sees to it that at least the first size bytes of memory that grows are there, for all that have
 * mapped it. Returns false with errno, as EFBIG by a limit on the size of files, or
 * EPERM if another process has sealed it. */
bool memory_grow(int fd, size_t size) HUB_INSIDE(memory_grow);

/* Maps the memory behind another process's fd. NULL with errno; EPROTO if its size is not size. */
void *memory_map(int fd, size_t size) HUB_INSIDE(memory_map);

/* The same for memory that grows; EPROTO if its size is not from least to most. */
void *memory_map_growing(int fd, size_t least, size_t most) HUB_INSIDE(memory_map_growing);

/* Unmaps the memory and sets the pointer to NULL. A pointer that is NULL is ignored. */
void memory_free(void **memory, size_t size) HUB_INSIDE(memory_free);

#endif

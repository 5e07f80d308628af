/* The control groups of this process, version 1 or 2. */
#ifndef HUBBUB_START_CGROUP_H
#define HUBBUB_START_CGROUP_H

#include <stddef.h>

/* Visits the directory of a process's group, and each directory above it up to mount. self is the
 * process's file in /proc (/proc/self/cgroup); controller is "" for version 2, or a controller of
 * version 1, such as "memory". In a container the group's directory may not exist; mount itself is
 * then the container's group. Visits nothing if self cannot be read. */
void cgroup_each(const char *self, const char *controller, const char *mount,
	void (*visit)(const char *directory, void *context), void *context);

/* Reads a file of a directory as text, cut off at size. Returns its length; 0, with text "", if it
 * is empty or cannot be read. */
size_t cgroup_read(const char *directory, const char *file, char *text, size_t size);

#endif

/* The control groups of this process, of either version of the kernel's. */
#ifndef HUBBUB_START_CGROUP_H
#define HUBBUB_START_CGROUP_H

#include <stddef.h>

/* Visits the folder of the group that a process is in, as its file in /proc (self) says, and those
 * above it, up to mount. controller is "" for version 2, or one of version 1's such as "memory". In
 * a container a group's folder may not exist; mount itself is the container's then. Without that
 * file nothing is visited. */
void cgroup_each(const char *self, const char *controller, const char *mount,
	void (*visit)(const char *folder, void *context), void *context);

/* Reads a file of a folder as text. Returns its length, text being "" if it is not there. */
size_t cgroup_read(const char *folder, const char *file, char *text, size_t size);

#endif

/* A sandbox of the kernel's for the calling process: system calls that it refuses. */
#ifndef HUBBUB_TESTS_SANDBOX_H
#define HUBBUB_TESTS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* From now on these system calls fail with that errno. Returns whether it is so. */
bool sandbox_refuse(const long *calls, size_t count, int error);

/* From now on no thread can be made (EAGAIN). */
bool sandbox_refuse_threads(void);

#endif

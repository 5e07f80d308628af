/* Makes the kernel refuse system calls of the calling process, as sandboxes do. */
#ifndef HUBBUB_TESTS_SANDBOX_H
#define HUBBUB_TESTS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* From now on these system calls fail with that errno, for this process and its children. Returns
 * whether the filter is in place. */
bool sandbox_refuse(const long *calls, size_t count, int error);

/* From now on no thread can be created (EAGAIN). Returns whether the filter is in place. */
bool sandbox_refuse_threads(void);

#endif

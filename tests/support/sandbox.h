/* Makes the kernel refuse system calls of the calling process, as sandboxes do. */
#ifndef HUBBUB_TESTS_SANDBOX_H
#define HUBBUB_TESTS_SANDBOX_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on these system calls fail with that errno, for this process and its children. Returns
 * whether the filter is in place. */
bool sandbox_refuse(const long *calls, size_t count, int error);

/* From now on each such system call, if its argument of that place has that value, adds one to the
 * count, and is not made: what it returns says nothing. One kind of call in a process. Returns
 * whether the filter is in place. */
bool sandbox_count(long call, unsigned place, uint32_t value, volatile sig_atomic_t *count);

/* From now on no thread can be created (EAGAIN). Returns whether the filter is in place. */
bool sandbox_refuse_threads(void);

#endif

/* Changes what /proc shows as fs.nr_open, the most files that a process may be allowed to open. */
#ifndef HUBBUB_TESTS_MOST_FILES_H
#define HUBBUB_TESTS_MOST_FILES_H

#include <stdbool.h>

/* From now on this process and its children read that number as fs.nr_open, or an empty file if it
 * is 0; the kernel's own limit stays. Returns whether that could be done, which requires root. */
bool most_files_set(unsigned number);

#endif

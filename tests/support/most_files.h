/* The most files that a process may be allowed to open, as /proc tells this process. */
#ifndef HUBBUB_TESTS_MOST_FILES_H
#define HUBBUB_TESTS_MOST_FILES_H

#include <stdbool.h>

/* From now on fs.nr_open says that number, or nothing if it is 0; the kernel's own stays. Returns
 * whether it is so, which takes root. */
bool most_files_set(unsigned number);

#endif

/* The journal of systemd. A service whose standard streams lead there finds in JOURNAL_STREAM which
 * socket that is, by device and inode. Programs that it starts inherit the variable, and may have
 * other streams: so it is compared with the descriptor, each time, since that may have become a
 * file meanwhile. */
#ifndef HUBBUB_BASE_JOURNAL_H
#define HUBBUB_BASE_JOURNAL_H

#include <stdbool.h>

/* Reads the environment again, which was read when the library was loaded. Before threads start. */
void journal_read_environment(void);

/* Whether the descriptor is that stream. Keeps errno; async-signal-safe. */
bool journal_is(int fd);

#endif

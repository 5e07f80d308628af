/* systemd's journal. If a service's standard streams lead there, JOURNAL_STREAM names their socket,
 * by device and inode. Programs that the service starts inherit the variable, and may have other
 * streams; and a stream may become a file later. So each question compares the variable with the
 * file descriptor. */
#ifndef HUBBUB_BASE_JOURNAL_H
#define HUBBUB_BASE_JOURNAL_H

#include <stdbool.h>

/* Reads JOURNAL_STREAM again, which was read when the library was loaded. Call before threads
 * start. */
void journal_read_environment(void);

/* Whether fd leads to the journal. Keeps errno; async-signal-safe. */
bool journal_is(int fd);

#endif

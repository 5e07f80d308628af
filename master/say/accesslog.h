/* The file of the access log (--access-log=FILE). The master opens it; workers append to it. */
#ifndef HUBBUB_SAY_ACCESSLOG_H
#define HUBBUB_SAY_ACCESSLOG_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens the file, and creates it if needed. Returns the descriptor, above 2, or -1 with errno:
 * ENXIO if it is a FIFO that nobody reads, or a socket. */
int accesslog_open(const char *path);

/* Makes a file without bytes the user's, who is to open it again after its rotation. */
void accesslog_give(int fd, uid_t user, gid_t group);

/* Warns if the user that the process has become cannot open the file of that name again. */
void accesslog_check(const char *path);

/* Opens the file of that name, and makes fd refer to it, in one step; works also when file
 * descriptors have run out. Returns false after logging why not: the former file stays in use. */
bool accesslog_reopen(const char *path, int fd);

#endif

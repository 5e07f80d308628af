/* Reopening the log after rotation. The log goes to standard error; if that is a file, logrotate
 * renames it and then asks the server to open a new file of the original name. */
#ifndef HUBBUB_SAY_LOGFILE_H
#define HUBBUB_SAY_LOGFILE_H

#include <stdbool.h>

/* Remembers the name of the file that standard error is open on, if it is a file. */
void logfile_remember(void);

/* Returns the remembered name, or "". Static. */
const char *logfile_name(void);

/* Remembers the name that the former master of an upgrade remembered: the file may have been
 * renamed since it was opened, and the kernel knows only its new name. */
void logfile_inherit(const char *name);

/* Opens the remembered name, creating the file if needed, and makes it standard error; works also
 * when file descriptors have run out. Returns false after logging why: the log is not a file, or
 * opening failed and the old file stays in use. */
bool logfile_reopen(void);

/* Makes fd, the log that another process has reopened, this process's standard error. The caller
 * still owns and closes fd. */
void logfile_replace(int fd);

#endif

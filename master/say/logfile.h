/* Reopening the log. It goes to standard error; where that is a file, a tool that rotates logs
 * moves it away and asks for another one of the same name. */
#ifndef HUBBUB_SAY_LOGFILE_H
#define HUBBUB_SAY_LOGFILE_H

#include <stdbool.h>

/* Remembers the name of the file that standard error is, if it is one. */
void logfile_remember(void);

/* The name that is remembered, or "". */
const char *logfile_name(void);

/* Remembers that name instead, which the former master of an upgrade had: the file may have been
 * moved since it was opened, and then the kernel knows its new name alone. */
void logfile_inherit(const char *name);

/* Opens that name again, as standard error, also when files have run out. Returns whether it
 * did; if not, the log is no file, or the old one is kept, and the log says why. */
bool logfile_reopen(void);

/* Another process has reopened the log: that file is standard error from now on. It stays the
 * caller's. */
void logfile_replace(int fd);

#endif

/* Reopening the log. It goes to standard error; where that is a file, a tool that rotates logs
 * moves it away and asks for another one of the same name. */
#ifndef HUBBUB_MASTER_LOGFILE_H
#define HUBBUB_MASTER_LOGFILE_H

/* Remembers the name of the file that standard error is, if it is one. */
void logfile_remember(void);

/* Opens that name again, as standard error. Returns a descriptor of it for workers, the caller's to
 * close, or -1 if it is no file or cannot be opened (logged). */
int logfile_reopen(void);

#endif

/* The pid file. It is locked while the server runs, so that two servers never share it. The lock
 * belongs to the open file: in an upgrade the new master gets it with the file descriptor. */
#ifndef HUBBUB_START_PIDFILE_H
#define HUBBUB_START_PIDFILE_H

/* Opens and locks path, and writes this process's pid. Returns the file descriptor that holds the
 * lock, or -1 after logging: path is not a regular file or cannot be opened, or another running
 * server holds the lock. Failure to write the pid is only a warning. */
int pidfile_take(const char *path);

/* Writes this process's pid to a pid file that it holds, taken or inherited. Logs a failure once;
 * pidfile_look tries again. */
void pidfile_write(int fd);

/* Creates the file anew if path was removed; fd then refers to the new file, and holds its lock.
 * Logs once if that fails, or if another file is at path. Writes the pid if that failed before.
 * Does nothing if fd is -1 or path NULL. */
void pidfile_look(int fd, const char *path);

/* Removes the file if it has this process's pid, or that pid could not be written; if it cannot be
 * removed it is emptied. Closes fd in any case. Does nothing if fd is -1. */
void pidfile_remove(int fd, const char *path);

#endif

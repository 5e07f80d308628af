/* The pid file. It is locked while the server runs, so that two never share one; the lock goes with
 * the descriptor, also from one master to the next in an upgrade. */
#ifndef HUBBUB_START_PIDFILE_H
#define HUBBUB_START_PIDFILE_H

/* Opens and locks path, and writes this process's pid. Returns the descriptor that holds the lock,
 * or -1 after logging: it is no regular file, or another running server has it. */
int pidfile_take(const char *path);

/* Writes this process's pid to one that it has, or got from a former master. */
void pidfile_write(int fd);

/* Makes path again if somebody has removed it; fd, which holds the lock, is then of the new file.
 * Says once if it cannot, or if another's file is there. Writes the pid if that could not be done
 * before. Nothing without a pid file: -1 or NULL. */
void pidfile_look(int fd, const char *path);

/* Removes path, or empties it where it cannot be removed, if this process's pid is in it or could
 * not be written; and closes the descriptor. -1 is ignored. */
void pidfile_remove(int fd, const char *path);

#endif

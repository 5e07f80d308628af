/* The pid file. It is locked while the server runs, so that two never share one; the lock goes with
 * the descriptor, also from one master to the next in an upgrade. */
#ifndef HUBBUB_MASTER_PIDFILE_H
#define HUBBUB_MASTER_PIDFILE_H

/* Opens and locks path, and writes this process's pid. Returns the descriptor that holds the lock,
 * or -1 after logging: it is no regular file, or another running server has it. */
int pidfile_take(const char *path);

/* Writes this process's pid to one that it has, or got from a former master. */
void pidfile_write(int fd);

/* Removes path, or empties it where it cannot be removed, if this process's pid is in it; and
 * closes the descriptor. -1 is ignored. */
void pidfile_remove(int fd, const char *path);

#endif

/* Regular files. A disk cannot be waited for by a loop, so what may have to wait for it is
 * offloaded (see thread/offload.h); what is in the kernel's cache is read at once. hub_read,
 * hub_readv, hub_write and hub_writev (io/socket.h) of a regular file do the same, at the file's
 * offset.
 *
 * What is offloaded uses a duplicate of the descriptor, so that a close(2) meanwhile does no harm;
 * closing that releases the process's record locks (F_SETLK) of the file, as POSIX has it: use
 * locks of the open file (F_OFD_SETLK) beside it.
 *
 * Each call may fail with the errno of the system call whose name it bears; with ECANCELED or
 * ETIMEDOUT it has done nothing. One that has begun is finished, whatever kills or times out the
 * caller. */
#ifndef HUBBUB_IO_FILE_H
#define HUBBUB_IO_FILE_H

#include <sys/types.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* open(2), with O_CLOEXEC; mode counts with O_CREAT.
 * Switches: yes.  Ownership: the caller closes it, by hub_close.  Returns the descriptor, or -1. */
int hub_open(const char *path, int flags, mode_t mode);

/* pread(2). Switches: yes, unless it is in the cache.  Returns as pread(2). */
ssize_t hub_pread(int fd, void *buffer, size_t length, off_t offset);

/* pwrite(2). Switches: yes.  Returns as pwrite(2). */
ssize_t hub_pwrite(int fd, const void *buffer, size_t length, off_t offset);

/* fsync(2). Switches: yes.  Returns 0 or -1. */
int hub_fsync(int fd);

/* fdatasync(2). Switches: yes.  Returns 0 or -1. */
int hub_fdatasync(int fd);

/* sendfile(2) until count bytes are sent or the file ends: from the descriptor in, a file, at
 * *offset, which moves on, or at its own offset where offset is NULL, to the socket out.
 * Switches: yes, while the socket is full.
 * Returns the bytes sent, less than count at the end of the file or if interrupted after a part; or
 * -1 with errno of sendfile(2), ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
ssize_t hub_sendfile(int out, int in, off_t *offset, size_t count);

HUBBUB_API_END

#endif

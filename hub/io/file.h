/* Regular files. A loop cannot wait for a disk, so a call that may have to wait for it is offloaded
 * (see thread/offload.h); bytes in the page cache are read at once. hub_read, hub_readv, hub_write
 * and hub_writev (io/socket.h) on a regular file do the same, at the file's offset.
 *
 * An offloaded call uses a duplicate of the fd, so a close(2) meanwhile does no harm. Closing the
 * duplicate releases the process's record locks (F_SETLK) of the file, as POSIX prescribes: use
 * locks of the open file (F_OFD_SETLK) instead.
 *
 * Each call may fail with the errno of the system call whose name it bears; if it fails with
 * ECANCELED or ETIMEDOUT it has done nothing. A call that has begun on its thread is finished, even
 * if the caller is killed or times out. */
#ifndef HUBBUB_IO_FILE_H
#define HUBBUB_IO_FILE_H

#include <sys/types.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* open(2), with O_CLOEXEC; mode counts with O_CREAT.
 * Switches: yes.  Ownership: the caller closes the fd, by hub_close.  Returns the fd, or -1. */
int hub_open(const char *path, int flags, mode_t mode);

/* pread(2). Switches: yes, unless all bytes are in the page cache.  Returns as pread(2). */
ssize_t hub_pread(int fd, void *buffer, size_t length, off_t offset);

/* pwrite(2). Switches: yes.  Returns as pwrite(2). */
ssize_t hub_pwrite(int fd, const void *buffer, size_t length, off_t offset);

/* fsync(2). Switches: yes.  Returns 0 or -1. */
int hub_fsync(int fd);

/* fdatasync(2). Switches: yes.  Returns 0 or -1. */
int hub_fdatasync(int fd);

/* sendfile(2), repeated until count bytes are sent or the file ends: from the file in, at *offset,
 * which moves on, or at the file's own offset if offset is NULL, to the socket out.
 * Switches: yes, while the socket is full.
 * Returns the bytes sent, less than count at the end of the file or if interrupted after a part; or
 * -1 with errno of sendfile(2), ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
ssize_t hub_sendfile(int out, int in, off_t *offset, size_t count);

HUBBUB_API_END

#endif

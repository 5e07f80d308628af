/* Reading and writing regular files, for receive.c and send.c. */
#ifndef HUBBUB_IO_FILE_PRIV_H
#define HUBBUB_IO_FILE_PRIV_H

#include <sys/uio.h>

#include "hub/io/file.h"

/* readv(2) and writev(2) at the file's offset. The caller has not called hub_enter. */
ssize_t file_readv(int fd, const struct iovec *parts, int count);
ssize_t file_writev(int fd, const struct iovec *parts, int count);

#endif

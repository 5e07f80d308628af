/* Streams of stdio that wait as descriptors do. */
#ifndef HUBBUB_PATCH_STREAM_PRIV_H
#define HUBBUB_PATCH_STREAM_PRIV_H

#include <stdio.h>

/* As fdopen(3), for what is no file. NULL with errno EINVAL, ENOMEM. */
FILE *stream_open(int fd, const char *mode);

/* The stream is closed by fclose(3): if popen has made it, nobody will wait for its command. */
void popen_forget(const FILE *stream);

#endif

/* Streams of stdio that wait as descriptors do. */
#ifndef HUBBUB_PATCH_STREAM_PRIV_H
#define HUBBUB_PATCH_STREAM_PRIV_H

#include <stdio.h>

/* As fdopen(3), for what is no file. NULL with errno EINVAL, ENOMEM. */
FILE *stream_open(int fd, const char *mode);

#endif

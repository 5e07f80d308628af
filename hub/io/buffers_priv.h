/* A hub's buffers, all of one size: a stream has one only while it holds bytes, so few are enough
 * for many streams, and the next to be used is the one that the caches still have. */
#ifndef HUBBUB_IO_BUFFERS_PRIV_H
#define HUBBUB_IO_BUFFERS_PRIV_H

#include <stddef.h>

struct hub;

#define BUFFER_SIZE ((size_t)16 * 1024 + 64) /* a TLS record, and a NUL */

/* A buffer of BUFFER_SIZE bytes, which buffer_give takes back; NULL with errno ENOMEM. */
char *buffer_take(struct hub *hub);

/* NULL is ignored. Keeps errno. */
void buffer_give(struct hub *hub, char *buffer);

/* Frees those that were not needed since the last call. */
void buffers_trim(struct hub *hub);

/* Frees all that were given back. */
void buffers_stop(struct hub *hub);

#endif

/* The target of a request: "/path?query", or "http://host/path?query". */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Writes its path, decoded, without the query. Returns false if it is none, has a NUL, or is longer
 * than size - 1 bytes. */
bool target_decode(struct text target, char *path, size_t size);

/* Whether bytes may be a host, with a port perhaps; an empty one may. */
bool target_is_host(struct text host);

#endif

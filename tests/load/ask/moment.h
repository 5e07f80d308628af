/* A moment of the wall clock, as people write it. */
#ifndef HUBBUB_LOAD_MOMENT_H
#define HUBBUB_LOAD_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Reads "2026-12-02T17:00:00Z" (RFC 3339: with a fraction of a second, too, and an offset such as
 * +01:00), "@1796230800" or "@1796230800.5" (seconds since 1970), or "17:00:00" (today, in local
 * time) as nanoseconds since 1970. Returns false, with its result untouched, if text is anything
 * else. */
bool moment_read(const char *text, int64_t *nanoseconds);

/* The wall clock's time: nanoseconds since 1970. */
int64_t moment_now(void);

#endif

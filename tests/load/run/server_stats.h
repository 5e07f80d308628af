/* The server's own counters, from its --admin address. */
#ifndef HUBBUB_LOAD_SERVER_STATS_H
#define HUBBUB_LOAD_SERVER_STATS_H

#include <jansson.h>

/* Fetches /stats.json from "HOST:PORT" or "http://HOST:PORT/...". The caller frees it. Returns NULL
 * if no valid answer comes; each system call waits for at most two seconds. */
json_t *server_stats(const char *where);

#endif

/* The server's own account of itself, from its --admin address. */
#ifndef HUBBUB_LOAD_SERVER_STATS_H
#define HUBBUB_LOAD_SERVER_STATS_H

#include <jansson.h>

/* GET /stats.json from "HOST:PORT" or "http://HOST:PORT/...". Returns NULL if there is no such
 * answer within two seconds; the caller frees it. */
json_t *server_stats(const char *where);

#endif

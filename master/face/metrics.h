/* The state of the server in Prometheus's text format, as /metrics. */
#ifndef HUBBUB_FACE_METRICS_H
#define HUBBUB_FACE_METRICS_H

#include <stddef.h>

struct master;

/* Returns the metrics of the whole server and of each hub, as text of *length bytes, which the
 * caller frees. NULL if out of memory. Does not block. */
char *metrics_text(const struct master *master, size_t *length);

#endif

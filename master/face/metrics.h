/* The state of the server for Prometheus, by its text format. */
#ifndef HUBBUB_FACE_METRICS_H
#define HUBBUB_FACE_METRICS_H

#include <stddef.h>

struct master;

/* All numbers, per hub and of the whole server. The caller frees it. NULL without memory. */
char *metrics_text(const struct master *master, size_t *length);

#endif

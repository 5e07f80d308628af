/* The shape of a server: how many processes and threads it has, by its options, the machine's CPUs,
 * and what its service wishes. */
#ifndef HUBBUB_START_SHAPE_H
#define HUBBUB_START_SHAPE_H

#include "master/start/options_rows.h"

/* Makes the service's wishes the defaults in a copy of options_rows. The texts are static, and last
 * until the next call. */
void shape_set_defaults(struct hubbub_option *rows, const struct hubbub_service *service);

/* Sets processes and threads from what was asked for: auto is what the service wishes, or else a
 * hub for each CPU, in two processes if possible. */
void shape_choose(struct options *options, const struct hubbub_service *service);

/* Returns why the server may not have that shape, or NULL if it may. Static until the next call. */
const char *shape_fault(const struct hubbub_service *service, unsigned processes, unsigned threads);

#endif

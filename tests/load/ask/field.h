/* Options whose value is more than a number or a word: each is read into the load, which is the
 * context; what `set` of their rows is. Returns NULL, or what the value should have been. */
#ifndef HUBBUB_LOAD_FIELD_H
#define HUBBUB_LOAD_FIELD_H

#include "tests/load/ask/load.h"

/* Each appends a gate. */
const char *field_fail_if(const char *value, void *context);
const char *field_abort_if(const char *value, void *context);

const char *field_search(const char *value, void *context);
const char *field_rate(const char *value, void *context);
const char *field_arrivals(const char *value, void *context);
const char *field_size(const char *value, void *context);

/* "A.B.C.D/LEN", "FIRST-LAST" or several, joined by commas. */
const char *field_sources(const char *value, void *context);

/* "N@RATE" */
const char *field_slow(const char *value, void *context);

const char *field_percentiles(const char *value, void *context);
const char *field_cpus(const char *value, void *context);
const char *field_max_regress(const char *value, void *context);

/* A time, or a share of the p99 of response time. */
const char *field_max_lag(const char *value, void *context);

/* "HOST:PORT" or a URL; kept as it is. */
const char *field_server_stats(const char *value, void *context);

/* "1x1,1x2" */
const char *field_grid(const char *value, void *context);

/* Appends a target; one that cannot be ends the process, with 1 if it is a name that nobody
 * knows. */
void field_target(struct load *load, const char *value);

/* All addresses from first to last, as numbers, as far as there is room. */
void field_add_sources(struct load *load, uint32_t first, uint32_t last);

#endif

/* Options whose value is more than a number or a word: each is read into the load, or refused as in value.h. */
#ifndef HUBBUB_LOAD_FIELD_H
#define HUBBUB_LOAD_FIELD_H

#include "tests/load/load.h"

/* Appends a gate. */
void field_gate(const char *option, const char *value, struct gate *gates, unsigned *count);

void field_rate(struct load *load, const char *value);
void field_size(struct load *load, const char *value);

/* "A.B.C.D/LEN", "FIRST-LAST" or several, joined by commas. */
void field_sources(struct load *load, const char *value);

/* All addresses from first to last, as numbers, as far as there is room. */
void field_add_sources(struct load *load, uint32_t first, uint32_t last);

/* "N@RATE" */
void field_slow(struct load *load, const char *value);

void field_percentiles(struct load *load, const char *value);
void field_cpus(struct load *load, const char *value);

/* A time, or a share of the p99 of response time. */
void field_max_lag(struct load *load, const char *value);

/* "HOST:PORT" or a URL; kept as it is. */
void field_server_stats(struct load *load, const char *value);

/* "1x1,1x2" */
void field_grid(struct load *load, const char *value);

/* Appends a target; a name that nobody knows ends the process with 1. */
void field_target(struct load *load, const char *value);

#endif

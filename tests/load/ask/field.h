/* Options whose value is more than a number or a word. Each function is the `set` of an option's
 * row (master/start/table.h): it parses the value into the load, which is the context, and returns
 * NULL, or what the value should have been (static until the next call). */
#ifndef HUBBUB_LOAD_FIELD_H
#define HUBBUB_LOAD_FIELD_H

#include "tests/load/ask/load.h"

/* Each appends a gate, and refuses one that no measurement could breach. */
const char *field_fail_if(const char *value, void *context);
const char *field_abort_if(const char *value, void *context);

const char *field_search(const char *value, void *context);
const char *field_rate(const char *value, void *context);
const char *field_arrivals(const char *value, void *context);
const char *field_size(const char *value, void *context);

/* "TEXT" or "@FILE": a request, and what is expected of the answer to the last one. Both store the
 * pointer: value is borrowed. */
const char *field_request(const char *value, void *context);
const char *field_expect(const char *value, void *context);
const char *field_reply(const char *value, void *context);

/* "A.B.C.D/LEN", "FIRST-LAST" or several, joined by commas. */
const char *field_sources(const char *value, void *context);

/* "N@RATE" */
const char *field_slow(const char *value, void *context);

/* "NAME,NAME" */
const char *field_alpn(const char *value, void *context);

const char *field_percentiles(const char *value, void *context);
const char *field_cpus(const char *value, void *context);
const char *field_max_regress(const char *value, void *context);

/* Takes a time, or a percentage of the p99 of response time. */
const char *field_max_lag(const char *value, void *context);

/* Takes "HOST:PORT" or a URL, and stores the pointer: value is borrowed. */
const char *field_server_stats(const char *value, void *context);

/* A moment of the wall clock, which must be to come. */
const char *field_start_at(const char *value, void *context);

/* "1x1,1x2" */
const char *field_grid(const char *value, void *context);

/* Appends a target. An address that cannot be used ends the process: with LOAD_FAILED if it is a
 * name that does not resolve, else with LOAD_USAGE. */
void field_target(struct load *load, const char *value);

/* Appends the source addresses from first to last, in host byte order, as far as there is room. */
void field_add_sources(struct load *load, uint32_t first, uint32_t last);

#endif

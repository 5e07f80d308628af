/* Results as JSON; tests/load/show/result.schema.json says what each field is. A number that is not
 * there is null, never "nan". */
#ifndef HUBBUB_LOAD_JSON_H
#define HUBBUB_LOAD_JSON_H

#include <jansson.h>

#include "tests/load/show/result.h"

#define JSON_SCHEMA_VERSION 1

/* The whole result; the caller frees it. NULL if there is no memory. */
json_t *json_result(const struct result *result);

/* One interval, as in the result's series. */
json_t *json_interval(const struct interval *interval);

/* Writes it to a file, or stdout for "-". Returns false after a message on stderr. */
bool json_write(const json_t *json, const char *path);

/* Reads a result and checks that it is one. Returns NULL after a message on stderr; the caller
 * frees it. */
json_t *json_read_result(const char *path);

/* The number at a path of keys, such as "latency_ns.response.p99"; or fallback. */
double json_number_at(const json_t *json, const char *path, double fallback);

/* What is at a path of keys; NULL if nothing is. Borrowed. */
json_t *json_at(const json_t *json, const char *path);

#endif

/* Results as JSON; tests/load/show/result.schema.json describes every field. A number that is not
 * known is null, never "nan". */
#ifndef HUBBUB_LOAD_JSON_H
#define HUBBUB_LOAD_JSON_H

#include <jansson.h>

#include "tests/load/show/result.h"

#define JSON_SCHEMA_VERSION 1

/* Makes the whole result. The caller frees it. Returns NULL if there is no memory. */
json_t *json_result(const struct result *result);

/* Makes one interval, as it is in the result's series. The caller frees it. */
json_t *json_interval(const struct interval *interval);

/* Writes json to the file at path, or to stdout for "-". Returns false after a message on
 * stderr. */
bool json_write(const json_t *json, const char *path);

/* Reads a result from the file at path, or from stdin for "-", and checks that it is one. The
 * caller frees it. Returns NULL after a message on stderr. */
json_t *json_read_result(const char *path);

/* The number at a path of keys, such as "latency_ns.response.p99"; fallback if there is none. */
double json_number_at(const json_t *json, const char *path, double fallback);

/* The value at a path of keys, borrowed from json; NULL if there is none. */
json_t *json_at(const json_t *json, const char *path);

#endif

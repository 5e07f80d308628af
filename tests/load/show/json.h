/* Results as JSON; tests/load/show/result.schema.json describes every field. A number that is not
 * known is null, never "nan". */
#ifndef HUBBUB_LOAD_JSON_H
#define HUBBUB_LOAD_JSON_H

#include <jansson.h>

#include "tests/load/show/result.h"

#define JSON_SCHEMA_VERSION 3

/* Makes the whole result. The caller frees it. Returns NULL if there is no memory. */
json_t *json_result(const struct result *result);

/* Makes one interval, as it is in the result's series. The caller frees it. */
json_t *json_interval(const struct interval *interval);

/* Writes json to the file at path, or to stdout for "-". Returns false after a message on
 * stderr. */
bool json_write(const json_t *json, const char *path);

#endif

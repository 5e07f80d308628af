/* One of the results that are merged, read back from its JSON. */
#ifndef HUBBUB_LOAD_PART_H
#define HUBBUB_LOAD_PART_H

#include <jansson.h>
#include <stdbool.h>

#include "tests/load/ask/load.h"
#include "tests/load/show/result.h"

struct part {
	const char *name; /* of its file; borrowed */
	json_t *json;
	/* What of the load a judgement and a report need. */
	struct load load;
	struct requests requests;
	struct result *result; /* without the judgement */
	bool is_valid;         /* by its own judgement */
	bool is_interrupted;
};

/* Reads the result in the file at path, "-" for stdin, into part. Nothing in the file is trusted.
 * Returns false after a message on stderr that names the file, and what of it is missing or wrong;
 * part_free is due all the same. */
bool part_read(struct part *part, const char *path);

/* Frees what the part holds. A part that is all zero is ignored. */
void part_free(struct part *part);

/* The value of key in the configuration of the load, borrowed; null, if there is none: the
 * result of an earlier version has fewer. */
const json_t *part_config(const struct part *part, const char *key);

#endif

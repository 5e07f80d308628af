/* JSON that is nearly right: a document of which a fuzzer's bytes replace some values. */
#ifndef HUBBUB_TESTS_MUTATE_H
#define HUBBUB_TESTS_MUTATE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* What is left of a fuzzer's bytes. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

/* The next byte; 0 at the end. */
uint8_t bytes_next(struct bytes *bytes);

/* As many as the next byte says, or are left, as a text that the caller frees. */
char *bytes_text(struct bytes *bytes);

/* A copy of the document with a few values replaced, removed or repeated, for the caller to
 * release. */
json_t *mutate_json(const json_t *document, struct bytes *bytes);

#endif

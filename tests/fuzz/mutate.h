/* JSON that is nearly right: a document in which a fuzzer's bytes replace some values. */
#ifndef HUBBUB_TESTS_MUTATE_H
#define HUBBUB_TESTS_MUTATE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The fuzzer's bytes that are left. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

/* The next byte; 0 at the end. */
uint8_t bytes_next(struct bytes *bytes);

/* As many bytes as the next byte says, or as are left, as a text that the caller frees. */
char *bytes_text(struct bytes *bytes);

/* A copy of the document with a few values replaced, removed or repeated; the caller releases
 * it. */
json_t *mutate_json(const json_t *document, struct bytes *bytes);

#endif

/* Results of hubbub-load, read back from their files. */
#ifndef HUBBUB_LOAD_JSON_READ_H
#define HUBBUB_LOAD_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a result from the file at path, or from stdin for "-", and checks that it is one. The
 * caller frees it. Returns NULL after a message on stderr. */
json_t *json_read_result(const char *path);

/* The number at a path of keys, such as "latency_ns.response.p99"; fallback if there is none. */
double json_number_at(const json_t *json, const char *path, double fallback);

/* The text at a path of keys, borrowed from json; "" if there is none. */
const char *json_text_at(const json_t *json, const char *path);

/* The value at a path of keys, borrowed from json; NULL if there is none. */
json_t *json_at(const json_t *json, const char *path);

/* A file whose values are read one by one, and not trusted. The json_take functions report the
 * first value that is missing or wrong, with name, on stderr, and set is_bad; from then on they are
 * silent. In place of such a value they return 0, false or NULL. */
struct json_reading {
	const char *name;   /* of the file; borrowed */
	const json_t *json; /* what paths begin at; borrowed */
	bool is_bad;
};

/* Reports that the value at the path is missing, or is not what is expected. */
void json_complain(struct json_reading *reading, const char *path, const char *expected);

/* A number from 0 to most; a whole one; and one that may be null, which is then fallback. */
double json_take_real(struct json_reading *reading, const char *path, double most);
uint64_t json_take_whole(struct json_reading *reading, const char *path, uint64_t most);
uint64_t json_take_whole_or(
	struct json_reading *reading, const char *path, uint64_t most, uint64_t fallback);

bool json_take_flag(struct json_reading *reading, const char *path);

/* Copies a text, as far as there is room; null leaves what is there. */
void json_take_text(struct json_reading *reading, const char *path, char *to, size_t size);

/* An array of at most so many elements, borrowed. */
const json_t *json_take_array(struct json_reading *reading, const char *path, size_t most);

/* The index of a text among count words. */
int json_take_word(
	struct json_reading *reading, const char *path, const char *const *words, int count);

#endif

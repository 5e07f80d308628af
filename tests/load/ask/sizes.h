/* How long messages are: one length, a range, a distribution, or a mix. */
#ifndef HUBBUB_LOAD_SIZES_H
#define HUBBUB_LOAD_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIZES_LIMIT (16 * 1024 * 1024) /* bytes of the longest message */
#define SIZES_MIX_MAX 64

struct sizes {
	enum { SIZES_FIXED, SIZES_RANGE, SIZES_EXPONENTIAL, SIZES_MIX } kind;
	uint32_t low;  /* bytes: the fixed length, the range's lower end, or the mean */
	uint32_t high; /* bytes: the upper end of the range */
	unsigned mix_count;
	struct {
		uint32_t size;
		double up_to; /* share of messages of this size or of one before it in the mix */
	} mix[SIZES_MIX_MAX];
};

/* Parses "64", "16-4096", "exp:512", "64:90,1024:9,16Ki:1" (sizes with weights), or "@FILE" with
 * one "SIZE [WEIGHT]" a line. Returns NULL, or a phrase that says what is wrong (static). */
const char *sizes_read(const char *text, struct sizes *sizes);

/* Draws the length of the next message; random is the state of tests/load/ask/random.h. */
uint32_t sizes_draw(const struct sizes *sizes, uint64_t *random);

/* The mean length of messages, in bytes. */
double sizes_mean(const struct sizes *sizes);

/* The least and the greatest length that may be drawn. */
uint32_t sizes_least(const struct sizes *sizes);
uint32_t sizes_most(const struct sizes *sizes);

#endif

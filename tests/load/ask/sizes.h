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
	uint32_t low; /* the length, the lower end, or the mean */
	uint32_t high;
	unsigned mix_count;
	struct {
		uint32_t size;
		double up_to; /* share of messages that are this or one before */
	} mix[SIZES_MIX_MAX];
};

/* "64", "16-4096", "exp:512", "64:90,1024:9,16Ki:1" (sizes with weights), or "@FILE" with one "SIZE
 * [WEIGHT]" a line. Returns NULL, or a phrase that says what is wrong (static). */
const char *sizes_read(const char *text, struct sizes *sizes);

/* The length of the next message. */
uint32_t sizes_draw(const struct sizes *sizes, uint64_t *random);

double sizes_mean(const struct sizes *sizes);

/* The least and greatest length that may be drawn. */
uint32_t sizes_least(const struct sizes *sizes);
uint32_t sizes_most(const struct sizes *sizes);

#endif

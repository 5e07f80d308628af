/* A request, or what is expected of its answer, as the user writes it: text with escapes, and parts
 * whose bytes differ from message to message. The bytes are a function of the template, the seed
 * and the message's number, so that none is stored. */
#ifndef HUBBUB_LOAD_TEMPLATE_H
#define HUBBUB_LOAD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/load/ask/sizes.h"

#define TEMPLATE_PARTS_MAX 32
#define TEMPLATE_LIMIT SIZES_LIMIT /* bytes that a template may make */

struct template_part {
	enum { TEMPLATE_TEXT, TEMPLATE_COUNTER, TEMPLATE_RANDOM, TEMPLATE_LETTERS } kind;
	uint32_t length; /* bytes of the text, or letters */
	size_t text;     /* where the text begins in the template's */
	uint64_t low;    /* of random numbers, or the first of a counter */
	uint64_t high;
	unsigned width; /* digits of a number, at least */
	unsigned draw;  /* which of the template's random parts it is, from 0 */
};

struct template
{
	char *text; /* the bytes of all parts that are text; owned */
	struct template_part parts[TEMPLATE_PARTS_MAX];
	unsigned count;
	double weight; /* by \{weight:N}; 1 without */
	bool ends;     /* by \{end} */
};

/* Sets the seed of random parts. Must be called before the functions below, and before threads
 * start. */
void template_setup(uint64_t seed);

/* Parses length bytes of text: \r \n \t \\ \xHH, a backslash at the end of a line (the line goes
 * on), \{counter}, \{counter:FIRST}, \{random:LOW-HIGH}, \{letters:N}, \{weight:N} and \{end}.
 * Leading zeros of FIRST and LOW are kept. Returns NULL, or a phrase that says what is wrong, with
 * nothing to be freed; the phrase is static until the next call. */
const char *template_read(struct template *template, const char *text, size_t length);

void template_free(struct template *template);

/* The number of bytes of the message of that number. */
uint32_t template_length(const struct template *template, uint64_t number);

/* The bytes of that message from offset, which is below its length. *length, at most as many as are
 * wanted, is reduced to as many as are contiguous. They are part of the template, or written into
 * digits. */
#define TEMPLATE_DIGITS 20
const char *template_bytes(const struct template *template, uint64_t number, uint32_t offset,
	uint32_t *length, char digits[static TEMPLATE_DIGITS]);

/* Writes length bytes of that message, which are no more than there are, from offset on. */
void template_write(const struct template *template, uint64_t number, uint32_t offset, char *bytes,
	uint32_t length);

/* Compares length bytes, which are no more than there are, with that message from offset on.
 * Returns how many are right before the first wrong one. */
uint32_t template_compare(const struct template *template, uint64_t number, uint32_t offset,
	const char *bytes, uint32_t length);

#endif

/* Text for a terminal: no line of it is broken within a word. */
#ifndef HUBBUB_LOAD_WRAP_H
#define HUBBUB_LOAD_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* Returns how many columns the terminal has that the stream is; 0: it is none. */
unsigned wrap_width(FILE *stream);

/* Returns how many columns that is: characters of UTF-8, without the codes of colours. */
unsigned wrap_columns(const char *text, size_t length);

/* What is printed for a terminal is gathered, and then wrapped. */
struct wrap {
	FILE *stream, *memory;
	char *text;
	size_t length;
	unsigned width; /* of the stream */
};

/* Returns the stream on which to print: memory, or, without a terminal or memory, the stream. */
FILE *wrap_begin(struct wrap *wrap, FILE *stream);

/* Writes what was printed. A line that is too wide for the terminal goes on in the next one, four
 * columns further to the right than it began; a word that is wider is left to the terminal. */
void wrap_end(struct wrap *wrap);

#endif

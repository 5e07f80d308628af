/* Numbers, sizes and times as people write them on a command line. What the values_write functions
 * write, the values_read functions read back as the same value.
 *
 * Each values_read function reads all of text (values_read_digits: its beginning), and returns
 * false, with its results untouched, if text is anything else. */
#ifndef HUBBUB_MASTER_BASE_VALUES_H
#define HUBBUB_MASTER_BASE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_TEXT_SIZE 32

/* Reads the decimal digits that text begins with, as a number up to most. Returns the text that
 * follows them, or NULL, with *number untouched, if there are none or the number is larger. */
const char *values_read_digits(const char *text, uint64_t most, uint64_t *number);

/* Reads digits and nothing else, as a number up to most. */
bool values_read_plain(const char *text, uint64_t most, uint64_t *number);

/* Reads two numbers of digits with the character between in their middle ("2x4"), each up to
 * most. */
bool values_read_pair(
	const char *text, char between, unsigned most, unsigned *first, unsigned *second);

/* Reads "5%" or "0.1%" as 0.05 or 0.001. */
bool values_read_percentage(const char *text, double *share);

/* Reads "200", "1.5k", "50k", "2M", "1G" (powers of 1000), "64Ki" or "4Mi" (powers of 1024), up to
 * 1e18. Not negative. */
bool values_read_number(const char *text, double *number);

/* Reads the same, but only numbers that are whole ("1.5k", not "1.5"). */
bool values_read_whole(const char *text, uint64_t *number);

/* Reads "4096", "64K", "1M" or "2G" (powers of 1024; "64Ki" means the same as "64K") as a whole
 * number of bytes. */
bool values_read_size(const char *text, uint64_t *bytes);

/* Reads "10" (seconds), "250ms", "80us", "1ns", "5m" or "2h" as nanoseconds, rounded. Not
 * negative. */
bool values_read_time(const char *text, int64_t *nanoseconds);

/* Writes a number of bytes with the largest unit that keeps it exact: "64K", "4097". Returns
 * text. */
const char *values_write_size(char text[static VALUES_TEXT_SIZE], uint64_t bytes);

/* Writes a time as a whole number of the largest unit that keeps it exact: "30" (seconds), "250ms",
 * "80us", "1ns". Returns text. */
const char *values_write_time(char text[static VALUES_TEXT_SIZE], int64_t nanoseconds);

#endif

/* Numbers, sizes and times, as people write them on a command line: read, and written so that
 * reading them again gives the same. */
#ifndef HUBBUB_MASTER_BASE_VALUES_H
#define HUBBUB_MASTER_BASE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_TEXT_SIZE 32

/* Decimal digits that text begins with: a number up to most. Returns what follows them, or NULL,
 * with *number untouched. */
const char *values_read_digits(const char *text, uint64_t most, uint64_t *number);

/* Digits and nothing else: a number up to most. */
bool values_read_plain(const char *text, uint64_t most, uint64_t *number);

/* "2x4", with that character between: two numbers of digits, each up to most. */
bool values_read_pair(
	const char *text, char between, unsigned most, unsigned *first, unsigned *second);

/* "5%", "0.1%", into 0.05, 0.001. */
bool values_read_percentage(const char *text, double *share);

/* "200", "1.5k", "50k", "2M", "1G" (powers of 1000), "64Ki", "4Mi" (of 1024). Not negative.
 * Returns false, with *number untouched, if text is not one. The others below do the same. */
bool values_read_number(const char *text, double *number);

/* The same as whole numbers, exactly. */
bool values_read_whole(const char *text, uint64_t *number);

/* "4096", "64K", "1M", "2G" (powers of 1024); also "64Ki" and the like. Whole bytes. */
bool values_read_size(const char *text, uint64_t *bytes);

/* "10" (seconds), "250ms", "80us", "1ns", "5m", "2h"; into nanoseconds. Not negative. */
bool values_read_time(const char *text, int64_t *nanoseconds);

/* "64K", "4097". Returns text. */
const char *values_write_size(char text[static VALUES_TEXT_SIZE], uint64_t bytes);

/* "30" (seconds), "250ms", "80us", "1ns": whole ones of the largest unit that keeps it exact.
 * Returns text. */
const char *values_write_time(char text[static VALUES_TEXT_SIZE], int64_t nanoseconds);

#endif

/* Writes numbers with units for people; master/base/values.h reads such numbers. */
#ifndef HUBBUB_LOAD_UNITS_H
#define HUBBUB_LOAD_UNITS_H

#include <stdint.h>

#define UNITS_TEXT_SIZE 32

/* The unit of times: the fitting one for each, or the same for all. */
enum units_time { UNITS_AUTO, UNITS_MICROSECONDS, UNITS_MILLISECONDS, UNITS_TIME_MAX };

/* Spellings for the command line, indexed by the enum. */
extern const char *const units_time_names[UNITS_TIME_MAX];

/* Writes "42us", "1.1ms", "12.3s"; "-" for a negative time, which is unknown. Returns text. */
const char *units_write_time(
	char text[static UNITS_TEXT_SIZE], int64_t nanoseconds, enum units_time unit);

/* Writes "950", "200.0k", "1.25M". Returns text. */
const char *units_write_count(char text[static UNITS_TEXT_SIZE], double value);

/* Writes "5 998 926". Returns text. */
const char *units_write_whole(char text[static UNITS_TEXT_SIZE], uint64_t value);

/* Writes "366 MiB". Returns text. */
const char *units_write_bytes(char text[static UNITS_TEXT_SIZE], double bytes);

#endif

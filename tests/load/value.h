/* Reading the values of options. What cannot be right is named on stderr, with what would be, and ends the process with
 * the exit code for wrong usage. */
#ifndef HUBBUB_LOAD_VALUE_H
#define HUBBUB_LOAD_VALUE_H

#include <stddef.h>
#include <stdint.h>

/* Prints "hubbub-load: ..." and exits with 2. */
_Noreturn void value_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

double value_number(const char *option, const char *value, double least, double most);
unsigned value_whole(const char *option, const char *value, unsigned least, unsigned most);

/* In nanoseconds. */
int64_t value_time(const char *option, const char *value, int64_t least);

/* "5%" is 0.05. */
double value_share(const char *option, const char *value);

/* The index of one of count words. */
unsigned value_word(
	const char *option, const char *value, const char *const *words, unsigned count);

/* Copies it, if it fits. */
void value_copy(const char *option, const char *value, char *to, size_t size);

/* The value itself, if it is not empty. */
const char *value_name(const char *option, const char *value);

#endif

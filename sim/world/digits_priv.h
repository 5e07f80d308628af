/* Whole numbers in the environment. */
#ifndef HUBBUB_SIM_DIGITS_PRIV_H
#define HUBBUB_SIM_DIGITS_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* Reads decimal digits, and nothing else that strtoull takes, such as a sign. Returns what is
 * behind them; NULL if there are none, or too many for *number. */
static inline const char *
digits_read(const char *text, uint64_t *number)
{
	const char *first = text;

	for (*number = 0; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(*number, 10U, number) ||
			__builtin_add_overflow(*number, (unsigned)(*text - '0'), number))
			return NULL;
	return text != first ? text : NULL;
}

#endif

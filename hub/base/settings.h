/* Settings from the environment: HUBBUB_... variables. A value that is not valid is reported by a
 * line on stderr, and the default is used. */
#ifndef HUBBUB_BASE_SETTINGS_H
#define HUBBUB_BASE_SETTINGS_H

#include <stdint.h>

/* The whole number in the variable; fallback if the variable is unset or empty, or if the number is
 * not within the limits. */
int64_t setting_number(const char *variable, int64_t least, int64_t most, int64_t fallback);

/* As setting_number, for a number of bytes: also as 64K, 1M or 1G. */
int64_t setting_size(const char *variable, int64_t least, int64_t most, int64_t fallback);

/* The index in names, which NULL ends, of the variable's value; fallback if the variable is unset
 * or empty, or if its value is none of the names. */
int setting_choice(const char *variable, const char *const *names, int fallback);

#endif

/* Settings from the environment: HUBBUB_... variables. A value that cannot be right is named in a
 * line on stderr, once, and the default is used. */
#ifndef HUBBUB_BASE_SETTINGS_H
#define HUBBUB_BASE_SETTINGS_H

#include <stdint.h>

/* The whole number in the variable, or fallback where it is unset or empty, or not within the
 * limits. */
int64_t setting_number(const char *variable, int64_t least, int64_t most, int64_t fallback);

/* As setting_number, of bytes: also as 64K, 1M or 1G. */
int64_t setting_size(const char *variable, int64_t least, int64_t most, int64_t fallback);

/* Which of the names, ended by NULL, is in the variable; fallback where it is unset or empty, or
 * none of them. */
int setting_choice(const char *variable, const char *const *names, int fallback);

#endif

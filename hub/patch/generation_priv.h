/* How often a descriptor's number was closed or made. */
#ifndef HUBBUB_PATCH_GENERATION_PRIV_H
#define HUBBUB_PATCH_GENERATION_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers above are not counted. */
#define GENERATION_NUMBERS (1 << 20)

/* By any thread: another answer, another descriptor. 0 for numbers that are not counted. */
uint32_t generation_of(int fd);

/* Whether anybody has ever asked for one: before that, they need not be counted. */
bool generation_is_asked(void);

/* The number is closed, or has just been made. Returns its generation from now on. */
uint32_t generation_next(int fd);

#endif

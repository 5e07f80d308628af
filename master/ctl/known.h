/* What is known of each coroutine of a track while its records are gone through: items of any kind
 * that begin with the coroutine's number, a uint32_t that is not 0. */
#ifndef HUBBUB_CTL_KNOWN_H
#define HUBBUB_CTL_KNOWN_H

#include <stddef.h>
#include <stdint.h>

struct known {
	size_t item; /* bytes of one; set by the caller, the rest is private and zero at first */
	char *items;
	size_t size, count;
};

/* Returns the coroutine's item, valid until the next call; a new one is zero but for its number.
 * NULL without memory. */
void *known_find(struct known *known, uint32_t id);

/* Returns the next item behind `at`, which is 0 at first, and sets `at`; NULL behind the last. */
void *known_next(const struct known *known, size_t *at);

/* Forgets all. */
void known_clear(struct known *known);

#endif

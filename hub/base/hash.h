/* A hash of texts, for names that processes of different releases must agree on. */
#ifndef HUBBUB_BASE_HASH_H
#define HUBBUB_BASE_HASH_H

#include <stdint.h>

/* 64-bit FNV-1a: the same in every process and release. */
static inline uint64_t
hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

#endif

/* What every peer does to the bytes; a compiler makes vectors of it. */
#ifndef HUBBUB_TESTS_PEERS_UPPER_H
#define HUBBUB_TESTS_PEERS_UPPER_H

#include <stddef.h>

static inline void
upper(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		text[i] = (char)(c - ((unsigned char)(c - 'a') < 26 ? 'a' - 'A' : 0));
	}
}

#endif

/* Bytes of a request, which are somebody else's. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct text {
	const char *bytes;
	size_t length;
};

/* Whether it is this word, in capitals or not. */
static inline bool
text_is(struct text text, const char *word)
{
	return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

#endif

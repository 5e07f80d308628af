/* Replies that are fed to a parser in pieces, for the tests of parsers. */
#ifndef HUBBUB_TESTS_REPLIES_H
#define HUBBUB_TESTS_REPLIES_H

#include "tests/load/drive/reply.h"

/* A reply, what it is about, and what the parser must have noted in the end. */
struct reply_case {
	const char *kind; /* as of --reply */
	const char *bytes;
	const char *text; /* what expectations are about; NULL: bytes */
	const char
		*flags; /* of e: error, c: closes, h: given to a HEAD request, o: ends by close */
};

/* Feeds the reply in two pieces, cut at every position, and byte by byte, each time with the
 * beginning of another reply behind it. Asserts that its end is found there, and never before, that
 * its text and flags are right, and that no byte is read beyond a piece. */
void replies_expect(const struct reply_case *expected);

/* Feeds garbage in one piece and byte by byte. Asserts that the first wrong byte, at offset, is
 * found. */
void replies_refuse(const char *kind, const char *bytes, size_t offset);

#endif

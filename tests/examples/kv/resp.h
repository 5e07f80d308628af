/* RESP2, the protocol of Redis: what a client sends, and what it gets. */
#ifndef KV_RESP_H
#define KV_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bytes.h"

/* A request: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", or a line of words, as a person types it:
 * "GET k". */
struct request {
	struct text name; /* of no bytes, in a line: an empty line, which asks nothing */
	size_t arguments; /* behind the name, and not taken yet */
	const char *at;   /* the next argument */
	const char *end;  /* of the request */
	bool is_line;     /* of words */
	size_t needed; /* bytes of which it is known that they belong to it, if not all have come */
	const char *wrong; /* what is wrong with it */
};

/* Looks for a request at the beginning of the length bytes; longest is the most that one may have.
 * It shows the bytes, and copies none.
 * Returns its length, 0 if it has not come whole (request->needed), or -1 (request->wrong). */
ssize_t resp_parse(const char *bytes, size_t length, size_t longest, struct request *request);

/* Takes the next argument of a request that has some left. */
struct text resp_take(struct request *request);

/* ---- replies ---- */

void resp_simple(struct bytes *reply, const char *text);
void resp_integer(struct bytes *reply, int64_t number);
void resp_bulk(struct bytes *reply, struct text text);
void resp_null(struct bytes *reply);
void resp_array(struct bytes *reply, size_t count); /* so many replies follow */

/* An error: a word in capitals, and a sentence as printf(3) has it; what would end its line is
 * replaced. */
void resp_error(struct bytes *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

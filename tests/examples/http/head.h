/* Where the head of a request ends, or the trailers of a body; and whether its lines are such as
 * every parser on the way reads in the same way. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct head_limits {
	size_t line;   /* bytes of the request line, or of the name and value of a field */
	size_t all;    /* bytes of all lines */
	size_t fields; /* lines but the request line */
};

/* What is known of the lines that have come; {0} at first. */
struct head {
	size_t looked; /* bytes that were searched */
	size_t line;   /* where the last line begins */
	size_t lines;
	int status; /* why it is refused */
	const char *wrong;
};

/* Goes on with the first length bytes of a head, which are those of the call before and more.
 * is_trailer: it has no request line.
 * Returns the head's length with the empty line at its end; 0 if that has not come yet, or if it is
 * refused. */
size_t head_find(struct head *head, const char *bytes, size_t length, bool is_trailer,
	const struct head_limits *limits);

#endif

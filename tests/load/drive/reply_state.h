/* How a reply is parsed: a parser takes it in pieces as they come, and keeps its state between two.
 * The state is small, since each connection has one, and all zero at the beginning of a reply. */
#ifndef HUBBUB_LOAD_REPLY_STATE_H
#define HUBBUB_LOAD_REPLY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply {
	uint64_t left;      /* bytes or values to come, or a number that is being read */
	uint64_t compared;  /* bytes of text so far, for whoever compares them */
	uint16_t status;    /* of HTTP */
	uint8_t state;      /* of the parser; each kind has its own */
	uint8_t type;       /* of a value of RESP */
	uint8_t digits;     /* of the number that is being read */
	uint8_t words;      /* of HTTP: words that a name or a token may still be, as bits */
	uint8_t at;         /* of HTTP: characters of it so far */
	uint8_t header;     /* of HTTP: the header that is being read */
	char shown[4];      /* of HTTP: the status and a blank, as text */
	uint32_t values;    /* of RESP: to come, besides the one that is being read */
	bool is_negative;   /* the number that is being read */
	bool has_length;    /* of HTTP: there was a Content-Length */
	bool is_chunked;    /* of HTTP: the body is */
	bool is_old;        /* HTTP/1.0 */
	bool keeps;         /* of HTTP: the connection, explicitly */
	bool is_head;       /* set by the caller: the request was HEAD, so there is no body */
	bool closes;        /* of HTTP: no reply follows on this connection */
	bool is_error;      /* the service says that it could not do what was asked */
	bool is_unexpected; /* for whoever compares the text */
};

/* What a parser took. */
struct reply_piece {
	size_t length;    /* bytes of the input, at least 1 unless there is a fault */
	const char *text; /* what an expectation is about: in the input, or in the parser's state */
	size_t text_length;
	bool is_whole;     /* the reply is complete */
	const char *fault; /* what is wrong with the first byte that was not taken; NULL: nothing */
};

/* Everything up to the end of the piece is text. */
static inline struct reply_piece
reply_text(const char *bytes, size_t length, bool is_whole)
{
	return (struct reply_piece){
		.length = length, .text = bytes, .text_length = length, .is_whole = is_whole};
}

/* The byte behind the piece is wrong. */
static inline struct reply_piece
reply_fault(size_t length, const char *fault)
{
	return (struct reply_piece){.length = length, .fault = fault};
}

#endif

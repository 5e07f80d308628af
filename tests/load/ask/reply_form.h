/* The form of replies: how the end of one is found. */
#ifndef HUBBUB_LOAD_REPLY_FORM_H
#define HUBBUB_LOAD_REPLY_FORM_H

#include <stdint.h>

#define REPLY_MARK_MAX 64

enum reply_kind {
	REPLY_ECHO,  /* repeats the message */
	REPLY_LINE,  /* ends with a newline */
	REPLY_LEN32, /* begins with 4 bytes of length */
	REPLY_UNTIL, /* ends with a mark */
	REPLY_BYTES, /* has a fixed length */
	REPLY_HTTP,  /* HTTP/1 */
	REPLY_RESP,  /* RESP2, the protocol of Redis */
	REPLY_KIND_MAX
};

struct reply_form {
	enum reply_kind kind;
	uint64_t length; /* REPLY_BYTES: bytes */
	char mark[REPLY_MARK_MAX];
	unsigned mark_length;
	/* After a mismatch behind i bytes of the mark, so many bytes still match (Knuth, Morris and
	 * Pratt's table). */
	uint8_t falls[REPLY_MARK_MAX];
};

/* The word of the command line for a kind, without its value. */
extern const char *const reply_kind_names[REPLY_KIND_MAX];

/* Parses "echo", "line", "len32", "until:STR" (with a template's escapes), "bytes:N", "http" or
 * "resp". Returns NULL, or a phrase that says what is wrong (static until the next call). */
const char *reply_form_read(const char *text, struct reply_form *form);

#endif

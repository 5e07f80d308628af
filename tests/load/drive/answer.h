/* Judges a reply that is no echo, as it comes: where it ends, and whether it is what is expected.
 * Knows no connection. */
#ifndef HUBBUB_LOAD_ANSWER_H
#define HUBBUB_LOAD_ANSWER_H

#include "tests/load/ask/template.h"
#include "tests/load/count/message_fault.h"
#include "tests/load/drive/reply.h"

#define ANSWER_SHOWN 12 /* bytes that are shown of what is wrong */
#define ANSWER_TEXT_SIZE 256

/* What a reply is compared with. */
struct answer_rule {
	const struct reply_form *form;
	const struct template *expected; /* NULL: any reply that is no error is right */
	uint64_t ticket;                 /* of its request */
};

enum answer {
	ANSWER_GOES_ON, /* more bytes are needed */
	ANSWER_RIGHT,
	ANSWER_REFUSED, /* the service says that it could not, which was not expected */
	ANSWER_WRONG    /* the connection cannot be used further */
};

struct answer_fault {
	enum message_fault kind;
	char text[ANSWER_TEXT_SIZE]; /* offset, what is wrong, and bytes in hexadecimal */
};

/* Takes bytes of the reply, up to its end at most; *taken becomes how many. offset is the number of
 * bytes of the reply that came before. Sets fault if the answer is wrong. */
enum answer answer_take(const struct answer_rule *rule, struct reply *reply, uint64_t offset,
	const char *bytes, size_t length, size_t *taken, struct answer_fault *fault);

/* The same at the end of the connection: ANSWER_GOES_ON if the reply lacks something. */
enum answer answer_end(
	const struct answer_rule *rule, struct reply *reply, struct answer_fault *fault);

/* Writes at most ANSWER_SHOWN bytes in hexadecimal. Returns text. */
#define ANSWER_HEX_SIZE (3 * ANSWER_SHOWN + 1)
const char *answer_hex(char text[static ANSWER_HEX_SIZE], const char *bytes, size_t length);

#endif

/* What is sent instead of messages for an echo, and what is expected of the answers: templates, of
 * which each message draws one by its weight. */
#ifndef HUBBUB_LOAD_REQUESTS_H
#define HUBBUB_LOAD_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/load/ask/template.h"

#define REQUESTS_MAX 64

/* A template, and its text as the user gave it. */
struct requests_text {
	const char *given; /* borrowed; NULL: there is none */
	struct template template;
};

struct request {
	struct requests_text request;
	struct requests_text expected; /* the answer begins with it */
	double up_to;                  /* share of messages of this request or of one before it */
	bool is_head;                  /* of HTTP, whose answer has no body */
};

struct requests {
	struct request items[REQUESTS_MAX];
	unsigned count; /* 0: messages are those for an echo */
	/* Expected of all answers to requests that have no expectation of their own. */
	struct requests_text expected;
	uint64_t seed;
};

/* Appends a request: "TEXT" or "@FILE". given is borrowed. Returns NULL, or a phrase that says what
 * is wrong (static until the next call). */
const char *requests_add(struct requests *requests, const char *given);

/* Sets what is expected of the answers to the last request; without one, of all answers. given is
 * "TEXT" or "@FILE", and borrowed. Returns as requests_add. */
const char *requests_expect(struct requests *requests, const char *given);

/* Frees all templates, and empties the list. */
void requests_clear(struct requests *requests);

/* The request that the message of that number is; there is at least one. */
const struct request *requests_choose(const struct requests *requests, uint64_t number);

/* Whether the message of that number is a HEAD request of HTTP. */
bool requests_is_head(const struct requests *requests, uint64_t number);

/* What is expected of the answer to the message of that number; NULL: nothing. */
const struct template *requests_expected(const struct requests *requests, uint64_t number);

#endif

/* Which rate a search tries next, by the outcomes so far, and what is known in the end. Only a
 * valid measurement says anything about the server: an invalid one is repeated, and after that
 * bounds what this generator can tell. */
#ifndef HUBBUB_LOAD_BISECTION_H
#define HUBBUB_LOAD_BISECTION_H

#include <stdbool.h>

/* What came of a measurement at a rate. */
enum bisection_outcome {
	BISECTION_HELD,    /* the goal held */
	BISECTION_BROKE,   /* the goal did not hold */
	BISECTION_INVALID, /* the measurement says nothing */
};

/* What is known about the highest rate that keeps the goal. */
enum bisection_answer {
	BISECTION_FOUND,    /* held is that rate */
	BISECTION_AT_LEAST, /* held keeps the goal; a higher rate may, too */
	BISECTION_NONE,     /* no rate keeps it */
	BISECTION_UNKNOWN,  /* no measured rate keeps it, but some could not be measured */
	BISECTION_ANSWER_MAX
};

/* The names in JSON, indexed by the enum. */
extern const char *const bisection_answer_names[BISECTION_ANSWER_MAX];

struct bisection {
	double rate;       /* to try next; 0: the search is over */
	double least;      /* the lowest rate that may be tried */
	double held;       /* the highest rate that held; 0: none */
	double broke;      /* the lowest rate that did not hold; 0: none */
	double unmeasured; /* the lowest rate above held that could not be measured; 0: none */
	unsigned repeats;  /* of the measurement at rate, because it was invalid */
	unsigned tries;    /* measurements so far */
};

/* Begins at rate. least, 1 or more, is the rate below which a measurement has too few messages for
 * the goal. */
void bisection_begin(struct bisection *bisection, double rate, double least);

/* Notes the outcome of the measurement at bisection->rate, and chooses the next rate. */
void bisection_note(struct bisection *bisection, enum bisection_outcome outcome);

/* What is known from the measurements so far. */
enum bisection_answer bisection_answer(const struct bisection *bisection);

#endif

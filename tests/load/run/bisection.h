/* The rates that a search tries, one after the other, by what came of those before; and what is
 * known in the end. Only a valid measurement says anything of the server: an invalid one is
 * repeated, and after that bounds what this generator can tell. */
#ifndef HUBBUB_LOAD_BISECTION_H
#define HUBBUB_LOAD_BISECTION_H

#include <stdbool.h>

enum bisection_outcome {
	BISECTION_HELD,
	BISECTION_BROKE,
	BISECTION_INVALID,
};

enum bisection_answer {
	BISECTION_FOUND,    /* held is the highest rate */
	BISECTION_AT_LEAST, /* held is one, and a higher one may be, too */
	BISECTION_NONE,     /* no rate holds */
	BISECTION_UNKNOWN,  /* none held, but some could not be measured */
	BISECTION_ANSWER_MAX
};

/* In JSON. */
extern const char *const bisection_answer_names[BISECTION_ANSWER_MAX];

struct bisection {
	double rate;       /* to try next; 0: it is over */
	double least;      /* below it nothing is tried */
	double held;       /* highest rate that held; 0: none */
	double broke;      /* lowest rate that did not; 0: none */
	double unmeasured; /* lowest rate above held that could not be measured; 0: none */
	unsigned repeats;  /* of rate, because its measurements were invalid */
	unsigned tries;
};

/* Begins at a rate. Of one below least, which is 1 or more, too few messages would tell nothing. */
void bisection_begin(struct bisection *bisection, double rate, double least);

/* What came of the rate. Chooses the next. */
void bisection_note(struct bisection *bisection, enum bisection_outcome outcome);

/* What is known so far. */
enum bisection_answer bisection_answer(const struct bisection *bisection);

#endif

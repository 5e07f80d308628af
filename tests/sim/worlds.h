/* Random programs in many worlds. Each compares what the hub tells with a model of its own, and
 * says what is wrong. */
#ifndef HUBBUB_TESTS_SIM_WORLDS_H
#define HUBBUB_TESTS_SIM_WORLDS_H

#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <stdbool.h>

#include "tests/fuzz/random.h"

/* Runs the body in so many worlds, from the seed HUBBUB_SEED on; in every other one there is
 * trouble. Fails the test at the first world in which something is wrong, or left. */
void in_worlds(hub_fn *body, unsigned count);

/* Whether calls fail in this world in good programs, and things take their time. */
bool in_trouble(void);

/* Something is not as it must be. The first in a world counts. For any coroutine of it. */
void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether something was wrong: then the body ends. */
bool is_wrong(void);

/* Whether this is one of so many. */
bool once_in(unsigned limit);

#endif

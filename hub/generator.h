/* Generators: a function that yields values one by one and may be sent values back; built on raw
 * coroutines, so it may yield from any depth of calls. */
#ifndef HUBBUB_GENERATOR_H
#define HUBBUB_GENERATOR_H

#include <stdbool.h>

#include "coroutine.h"

HUBBUB_API_BEGIN

struct hub_generator;

/* Creates a generator over body(argument); nothing of it runs before the first hub_generator_next.
 * Switches: no.  Ownership: the caller frees it with hub_generator_free.
 * Returns NULL with errno ENOMEM. */
struct hub_generator *hub_generator_new(hub_fn *body, void *argument);

/* Runs the generator to its next yield. Returns true with what it yielded in *value, or false when
 * the body has returned, then and ever after with its result in *value.
 * Switches: to the generator and back.  Thread: the one that created it. */
bool hub_generator_next(struct hub_generator *generator, void **value);

/* As next, but the yield in which the generator is suspended returns sent. Before the first yield
 * there is nothing to receive it and it is dropped. Switches: to the generator and back. */
bool hub_generator_send(struct hub_generator *generator, void *sent, void **value);

/* Inside a generator's body, or any function called from it: hands value to the consumer and
 * suspends; returns what the next send gives, or NULL for a next.
 * Switches: to the consumer. */
void *hub_yield(void *value);

/* Frees a generator that is not running; one suspended in a yield is never resumed. NULL is
 * ignored. Switches: no. */
void hub_generator_free(struct hub_generator *generator);

HUBBUB_API_END

#endif

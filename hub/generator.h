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

struct hub_failure;

/* Runs the generator to its next yield. Asking one that runs, such as one in a blocking call, is a
 * fatal error. Returns true with what it yielded in *value, or false when the body has returned,
 * then and ever after with its result in *value (after hub_fail: NULL, and hub_generator_failure
 * tells).
 * Switches: to the generator and back.  Thread: the one that created it. */
bool hub_generator_next(struct hub_generator *generator, void **value);

/* As next, but the yield in which the generator is suspended returns sent. Before the first yield
 * there is nothing to receive it and it is dropped. Switches: to the generator and back. */
bool hub_generator_send(struct hub_generator *generator, void *sent, void **value);

/* Inside a generator's body, or any function called from it: hands value to the consumer and
 * suspends; returns what the next send gives, or NULL for a next.
 * Switches: to the consumer. */
void *hub_yield(void *value);

/* Throws error at the yield in which the generator is suspended: that returns NULL, and hub_thrown
 * says the error. The generator goes on to its next yield, or its end. One that has not started
 * ends, and one that has ended stays so.
 * Switches: to the generator and back.  Returns as hub_generator_next. */
bool hub_generator_throw(struct hub_generator *generator, int error, void **value);

/* Throws ECANCELED at the generator, so that it cleans up and ends.
 * Switches: to the generator and back.
 * Returns 0, or -1 with errno EBUSY (it yielded instead of ending; it may be closed again). */
int hub_generator_close(struct hub_generator *generator);

/* Why the generator failed, valid until it is freed; NULL while it has not.
 * Switches: no.  Errors: none. */
const struct hub_failure *hub_generator_failure(const struct hub_generator *generator);

/* Frees a generator that is not running; one suspended in a yield is never resumed, but what it
 * deferred is done; close it first to let it clean up itself. NULL is ignored. Switches: no. */
void hub_generator_free(struct hub_generator *generator);

HUBBUB_API_END

#endif

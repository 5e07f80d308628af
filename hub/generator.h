/* Generators: a function that yields values one by one and may be sent values back. A generator is
 * a raw coroutine, so it may yield from any depth of calls. */
#ifndef HUBBUB_GENERATOR_H
#define HUBBUB_GENERATOR_H

#include <stdbool.h>

#include "coroutine.h"

HUBBUB_API_BEGIN

struct hub_generator;

/* Creates a generator over body(argument); body begins to run at the first hub_generator_next.
 * Switches: no.  Ownership: the caller frees it with hub_generator_free.
 * Returns NULL with errno ENOMEM. */
struct hub_generator *hub_generator_new(hub_fn *body, void *argument);

struct hub_failure;

/* Runs the generator to its next yield. Asking a generator that is running, or is in a blocking
 * call, is a fatal error. Returns true with the yielded value in *value, or false once the body has
 * returned, then and at every later call, with its result in *value (after hub_fail: NULL, and
 * hub_generator_failure has the reason).
 * Switches: to the generator and back.  Thread: the one that created it. */
bool hub_generator_next(struct hub_generator *generator, void **value);

/* As hub_generator_next, but the yield in which the generator is suspended returns sent. Before the
 * first yield sent is dropped. Switches: to the generator and back. */
bool hub_generator_send(struct hub_generator *generator, void *sent, void **value);

/* Inside a generator's body, or any function called from it: hands value to the consumer and
 * suspends. Returns the value of the next hub_generator_send, or NULL for a hub_generator_next.
 * Switches: to the consumer. */
void *hub_yield(void *value);

/* Throws error at the yield in which the generator is suspended: the yield returns NULL, and
 * hub_thrown returns error. The generator goes on to its next yield or its end. A generator that
 * has not started ends; one that has ended stays ended.
 * Switches: to the generator and back.  Returns as hub_generator_next. */
bool hub_generator_throw(struct hub_generator *generator, int error, void **value);

/* Throws ECANCELED at the generator, so that it cleans up and ends.
 * Switches: to the generator and back.
 * Returns 0, or -1 with errno EBUSY (it yielded instead of ending; it may be closed again). */
int hub_generator_close(struct hub_generator *generator);

/* Why the generator failed, valid until it is freed; NULL while it has not.
 * Switches: no.  Errors: none. */
const struct hub_failure *hub_generator_failure(const struct hub_generator *generator);

/* Frees a generator that is not running. If it is suspended in a yield it is never resumed, but its
 * deferred calls are made; to let it clean up itself, close it first. NULL is ignored. Switches:
 * no. */
void hub_generator_free(struct hub_generator *generator);

HUBBUB_API_END

#endif

/* A generator is a raw coroutine that always switches back to the consumer that asked it for a
 * value. Its record lives on the heap, not on its stack, so an exhausted generator still
 * answers. */
#include "hub/generator.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/coroutine_priv.h"
#include "hub/failure_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/switch.h"

struct hub_generator {
	struct hub_coroutine *coroutine;
	hub_fn *body;
	void *argument;
	bool is_running; /* between a consumer's request and the value */
	bool is_done;
	void *result;
	struct hub_failure *failure; /* owned */
};

static void *
generator_main(void *first_value)
{
	struct hub_generator *generator = first_value;

	return generator->body(generator->argument);
}

struct hub_generator *
hub_generator_new(hub_fn *body, void *argument)
{
	struct hub_generator *generator = malloc(sizeof *generator);

	if (generator == NULL)
		return NULL;
	*generator = (struct hub_generator){.body = body, .argument = argument};
	generator->coroutine = hub_new(generator_main);
	if (generator->coroutine == NULL) {
		free(generator);
		errno = ENOMEM;
		return NULL;
	}
	generator->coroutine->argument = generator;
	return generator;
}

/* The coroutine has ended: its result and failure move to the generator. */
static void
take_end(struct hub_generator *generator)
{
	DCHECK(!generator->is_done && generator->coroutine->state == COROUTINE_DONE);
	generator->is_done = true;
	generator->result = generator->coroutine->result;
	generator->failure = generator->coroutine->failure;
	generator->coroutine->failure = NULL;
}

/* Continues the generator: sends it a value or, if error is not 0, throws error at it. */
static bool
resume(struct hub_generator *generator, void *sent, int error, void **value)
{
	struct hub_coroutine *coroutine = generator->coroutine;

	if (!generator->is_done && coroutine->state == COROUTINE_DONE)
		take_end(generator);
	if (!generator->is_done && error != 0 && !coroutine->has_run)
		generator->is_done = true;
	if (generator->is_done) {
		*value = generator->result;
		return false;
	}
	CHECK_WHY(!generator->is_running, "a generator is asked for a value while it runs");
	generator->is_running = true;
	/* The end goes to the consumer of the last value, not to the creator. */
	coroutine_set_heir(coroutine, coroutine->hub->current);
	if (error != 0)
		*value = hub_throw(coroutine, error);
	else
		*value = hub_switch(coroutine, coroutine->has_run ? sent : generator);
	generator->is_running = false;
	if (coroutine->state != COROUTINE_DONE)
		return true;
	take_end(generator);
	*value = generator->result;
	return false;
}

bool
hub_generator_send(struct hub_generator *generator, void *sent, void **value)
{
	return resume(generator, sent, 0, value);
}

bool
hub_generator_next(struct hub_generator *generator, void **value)
{
	return resume(generator, NULL, 0, value);
}

bool
hub_generator_throw(struct hub_generator *generator, int error, void **value)
{
	return resume(generator, NULL, error, value);
}

int
hub_generator_close(struct hub_generator *generator)
{
	void *value;

	if (!resume(generator, NULL, ECANCELED, &value))
		return 0;
	return failed(EBUSY);
}

const struct hub_failure *
hub_generator_failure(const struct hub_generator *generator)
{
	return generator->failure;
}

void *
hub_yield(void *value)
{
	struct hub_coroutine *self = hub_current(), *consumer;

	CHECK_WHY(self != NULL && self->is_raw && self->body == generator_main,
		"hub_yield outside of a generator's body");
	consumer = coroutine_heir(self);
	CHECK_WHY(consumer != NULL,
		"hub_yield to a consumer that was freed while it waited for the value");
	return hub_switch(consumer, value);
}

void
hub_generator_free(struct hub_generator *generator)
{
	if (generator == NULL)
		return;
	hub_free(generator->coroutine);
	failure_free(generator->failure);
	free(generator);
}

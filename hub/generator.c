/* A generator is a raw coroutine that always switches back to whoever asked it for a value. It
 * lives on the heap and not on its stack, so that it can tell that it is exhausted for ever. */
#include "hub/generator.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/failure_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/switch.h"

struct hub_generator {
	struct hub_coroutine *coroutine;
	struct hub_coroutine *consumer; /* who gets the next yield; NULL while suspended */
	hub_fn *body;
	void *argument;
	void *result;
	struct hub_failure *failure; /* owned */
	bool is_done;
};

static void *
generator_main(void *first_value)
{
	struct hub_generator *generator = first_value;
	struct hub_coroutine *self = generator->coroutine;

	generator->result = generator->body(generator->argument);
	generator->is_done = true;
	/* The consumer of the last value, not the creator, is who waits; and the failure is told by the
	 * generator, not thrown. */
	coroutine_set_parent(self, generator->consumer);
	generator->failure = self->failure;
	self->failure = NULL;
	return generator->result;
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

/* Continues the generator, by a value or, if error is not 0, by throwing that. */
static bool
resume(struct hub_generator *generator, void *sent, int error, void **value)
{
	struct hub_coroutine *coroutine = generator->coroutine;

	if (!generator->is_done && error != 0 && !coroutine->has_run)
		generator->is_done = true;
	if (generator->is_done) {
		*value = generator->result;
		return false;
	}
	CHECK_WHY(generator->consumer == NULL, "a generator is asked for a value by itself");
	generator->consumer = coroutine->hub->current;
	if (error != 0)
		*value = hub_throw(coroutine, error);
	else
		*value = hub_switch(coroutine, coroutine->has_run ? sent : generator);
	generator->consumer = NULL;
	return !generator->is_done;
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
	errno = EBUSY;
	return -1;
}

const struct hub_failure *
hub_generator_failure(const struct hub_generator *generator)
{
	return generator->failure;
}

void *
hub_yield(void *value)
{
	struct hub_coroutine *self = hub_current();

	CHECK_WHY(self != NULL && self->is_raw && self->body == generator_main,
		"hub_yield outside of a generator's body");
	return hub_switch(((struct hub_generator *)self->argument)->consumer, value);
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

/* A coroutine's failure is allocated by its first hub_fail and freed with the coroutine, or moved
 * to its generator. Without memory all failures are out_of_memory, which is static and never freed.
 * Each failure is reported once: to the joiner, or by failure_report. */
#include "hub/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "hub/debug/hooks.h"
#include "hub/failure_priv.h"
#include "hub/scheduler_priv.h"

/* The failure of each coroutine that fails without memory; shared, never freed. */
static struct hub_failure out_of_memory = {ENOMEM, "it failed, and memory is out"};

void *
hub_fail(int code, const char *format, ...)
{
	struct hub_coroutine *self = hub_current();
	struct hub_failure failure = {.code = code};
	va_list arguments;

	CHECK_WHY(self != NULL, "hub_fail outside of a coroutine");
	CHECK_WHY(code != 0, "hub_fail with code 0, which means success");
	/* Formatted apart from the present failure, whose text may be among the arguments. */
	va_start(arguments, format);
	vsnprintf(failure.text, sizeof failure.text, format, arguments);
	va_end(arguments);
	if (self->failure == NULL || self->failure == &out_of_memory)
		self->failure = malloc(sizeof *self->failure);
	if (self->failure == NULL)
		self->failure = &out_of_memory;
	else
		*self->failure = failure;
	return NULL;
}

void
failure_free(struct hub_failure *failure)
{
	if (failure != &out_of_memory)
		free(failure);
}

void
failure_settle(struct hub_coroutine *ended)
{
	if (ended->failure == NULL)
		return;
	DCHECK(ended->failure->code != 0 && out_of_memory.code == ENOMEM);
	if ((ended->is_killed || ended->is_raw) && ended->failure->code == ECANCELED) {
		failure_free(ended->failure);
		ended->failure = NULL;
	} else if (ended->is_critical) {
		log_error("coroutine \"%s\" is critical and failed: %s (%d, %s)", ended->name,
			ended->failure->text, ended->failure->code, strerror(ended->failure->code));
		ended->hub->dump(STDERR_FILENO);
		abort();
	}
}

void
failure_report(const struct hub_coroutine *ended)
{
	const struct hub_hooks *hooks = ended->hub->hooks;

	if (ended->failure == NULL || ended->is_told)
		return;
	if (hooks != NULL && hooks->failed != NULL)
		hooks->failed(ended, ended->failure, hooks->context);
	else
		log_error("coroutine \"%s\" failed: %s (%d, %s)", ended->name, ended->failure->text,
			ended->failure->code, strerror(ended->failure->code));
}

const struct hub_failure *
hub_failure_of(const struct hub_coroutine *coroutine)
{
	hub_check_own(coroutine);
	return coroutine->failure;
}

bool
hub_has_succeeded(const struct hub_coroutine *coroutine)
{
	hub_check_own(coroutine);
	return coroutine->state == COROUTINE_DONE && coroutine->failure == NULL;
}

void
hub_set_critical(struct hub_coroutine *coroutine)
{
	hub_check_own(coroutine);
	coroutine->is_critical = true;
}

/* A function's name is looked for when words are made of an event, since that reads files. */
#include "sim/world/who_priv.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "hub/debug/awaited_priv.h"
#include "hub/debug/called_priv.h"
#include "hub/debug/symbol_priv.h"
#include "hub/scheduler_priv.h"

#define OBJECTS_MOST 64

static long running_hub;

void
who_in_hub(long number)
{
	running_hub = number;
}

/* Coroutines of a run have numbers from 1 on, since their ids may go on from run to run. */
static long
number_of(const struct hub_coroutine *coroutine)
{
	static uint64_t
		first; /* the id of the last hub's first coroutine, which ends before others */

	if (coroutine->hub->main != NULL)
		first = coroutine->hub->main->id;
	return (long)(coroutine->id - first) + 1;
}

void
who_is(struct who *who, const struct hub_coroutine *coroutine)
{
	_Static_assert(sizeof who->name == COROUTINE_NAME_SIZE, "it is copied");
	if (coroutine == NULL) {
		who->number = 0;
		return;
	}
	who->hub = running_hub;
	who->number = number_of(coroutine);
	who->body = coroutine->body;
	if (coroutine->name[0] != '\0')
		memcpy(who->name, coroutine->name, sizeof who->name);
	else
		who->name[0] = '\0';
}

void
who_runs(struct who *who)
{
	const struct hub *hub = hub_this;

	who_is(who, hub != NULL && hub->loop != NULL && hub->current != &hub->root ? hub->current
										   : NULL);
}

/* The name of a function; "" if its file has none. */
static const char *
name_of_function(hub_fn *function)
{
	static struct {
		hub_fn *function;
		char name[64];
	} last;
	size_t offset;

	if (last.function == function)
		return last.name;
	last.function = function;
	if (symbol_find((const void *)(uintptr_t)function, last.name, sizeof last.name, &offset) ==
		0)
		last.name[0] = '\0';
	return last.name;
}

const char *
who_write(const struct who *who, char text[WHO_SIZE])
{
	const char *quote = who->name[0] != '\0' ? "\"" : "";
	int used = 0;

	text[0] = '\0';
	if (who->number == 0)
		return text;
	if (who->hub != 1)
		used = snprintf(text, WHO_SIZE, "%ld/", who->hub);
	snprintf(text + used, (size_t)(WHO_SIZE - used), "%ld %s%s%s", who->number, quote,
		who->name[0] != '\0' ? who->name : name_of_function(who->body), quote);
	return text;
}

const char *
name_of(const struct hub_coroutine *coroutine)
{
	static char name[sizeof "coroutine " + WHO_SIZE];
	char words[WHO_SIZE];
	struct who who;

	who_is(&who, coroutine);
	snprintf(name, sizeof name, "coroutine %s", who_write(&who, words));
	return name;
}

/* ---- in dumps ---- */

static struct {
	const void *each[OBJECTS_MOST];
	int count;
} objects; /* which the present dump has named */

void
called_begin(void)
{
	objects.count = 0;
}

const char *
called(const struct hub_coroutine *coroutine, char text[CALLED_SIZE])
{
	struct who who;

	who_is(&who, coroutine);
	return who_write(&who, text);
}

static int
number_of_object(const void *object)
{
	int i = 0;

	while (i < objects.count && objects.each[i] != object)
		i++;
	if (i == objects.count && objects.count < OBJECTS_MOST)
		objects.each[objects.count++] = object;
	return i + 1;
}

const char *
called_awaited(const struct hub_coroutine *coroutine, char text[CALLED_SIZE])
{
	const struct hub_coroutine *holder = awaited_holder(coroutine);
	const void *object = coroutine->waits_on;
	const char *what = coroutine->waits_for;
	char words[CALLED_SIZE];

	if (object == NULL)
		snprintf(text, CALLED_SIZE, "%s", what);
	else if (strcmp(what, "join") == 0)
		snprintf(text, CALLED_SIZE, "join of %s", called(object, words));
	else if (awaited_fd_of(coroutine) >= 0)
		snprintf(text, CALLED_SIZE, "%s on %d", what, awaited_fd_of(coroutine));
	else if (holder != NULL)
		snprintf(text, CALLED_SIZE, "%s #%d of %.80s", what, number_of_object(object),
			called(holder, words));
	else
		snprintf(text, CALLED_SIZE, "%s #%d", what, number_of_object(object));
	return text;
}

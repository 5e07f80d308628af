/* What a dump calls a coroutine, and the object that it waits for: by their addresses, which a
 * debugger knows. In a simulated world they have numbers, by a header in this one's place
 * (sim/instead/hub/debug/called_priv.h). */
#ifndef HUBBUB_DEBUG_CALLED_PRIV_H
#define HUBBUB_DEBUG_CALLED_PRIV_H

#include <stdio.h>

#include "hub/debug/awaited_priv.h"

/* Enough for each of them. */
#define CALLED_SIZE 128

/* A dump begins. */
static inline void
called_begin(void)
{
}

/* Writes what the coroutine is called. Returns text. */
static inline const char *
called(const struct hub_coroutine *coroutine, char text[CALLED_SIZE])
{
	snprintf(text, CALLED_SIZE, "%p \"%s\"", (const void *)coroutine, coroutine->name);
	return text;
}

/* Writes what the coroutine, which waits, waits for; of a lock also who holds it, since that is who
 * lets it wait. Returns text. */
static inline const char *
called_awaited(const struct hub_coroutine *coroutine, char text[CALLED_SIZE])
{
	const struct hub_coroutine *holder = awaited_holder(coroutine);
	const char *what = coroutine->waits_for;
	const void *on = coroutine->waits_on;
	char name[CALLED_SIZE];

	if (on == NULL)
		snprintf(text, CALLED_SIZE, "%s", what);
	else if (awaited_fd_of(coroutine) >= 0)
		snprintf(text, CALLED_SIZE, "%s on fd %d", what, awaited_fd_of(coroutine));
	else if (holder == NULL)
		snprintf(text, CALLED_SIZE, "%s (%p)", what, on);
	else
		snprintf(text, CALLED_SIZE, "%s (%p) of %.80s", what, on, called(holder, name));
	return text;
}

#endif

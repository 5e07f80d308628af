/* The buffers that streams have given back, the last one first: a list through their first
 * bytes. */
#include "hub/io/buffers_priv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/record_priv.h"

#define KEPT_MOST 64 /* a MiB */

struct buffer {
	struct buffer *next;
};

/* Whether the list is as long as it says. */
static bool
is_consistent(const struct buffers *buffers)
{
	unsigned count = 0;

	for (const struct buffer *each = buffers->first; each != NULL; each = each->next)
		count++;
	return count == buffers->kept && buffers->fewest <= buffers->kept;
}

static struct buffer *
take_first(struct buffers *buffers)
{
	struct buffer *first = buffers->first;

	DCHECK(is_consistent(buffers) && buffers->kept > 0);
	buffers->first = first->next;
	buffers->kept--;
	if (buffers->kept < buffers->fewest)
		buffers->fewest = buffers->kept;
	return first;
}

char *
buffer_take(struct hub *hub)
{
	if (hub->buffers.first != NULL)
		return (char *)take_first(&hub->buffers);
	return malloc(BUFFER_SIZE);
}

void
buffer_give(struct hub *hub, char *buffer)
{
	struct buffer *given = (struct buffer *)(void *)buffer;
	int error = errno;

	if (buffer == NULL)
		return;
	/* At the end of a run all are freed. */
	if (hub->buffers.kept < KEPT_MOST && hub->loop != NULL) {
		given->next = hub->buffers.first;
		hub->buffers.first = given;
		hub->buffers.kept++;
		hub->trim.is_wanted = true;
		return;
	}
	free(given);
	errno = error;
}

void
buffers_trim(struct hub *hub)
{
	for (unsigned left = hub->buffers.fewest; left > 0; left--)
		free(take_first(&hub->buffers));
	hub->buffers.fewest = hub->buffers.kept;
	DCHECK(is_consistent(&hub->buffers));
}

void
buffers_stop(struct hub *hub)
{
	while (hub->buffers.first != NULL)
		free(take_first(&hub->buffers));
}

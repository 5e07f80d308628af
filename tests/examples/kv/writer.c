/* Group commit. Changes are gathered while the former group is being committed, and then make the
 * next group: so the slower the disk, the larger the groups. */
#include "writer.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdbool.h>

#include "lmdb.h"
#include "metrics.h"

/* A change, on the stack of the coroutine that waits for it. */
struct change {
	struct change *next;
	store_change *run;
	void *argument;
	int error;
	struct hub_event done;
};

struct group {
	struct store *store;
	struct change *first;
};

/* What waits for the next group of this hub. */
static _Thread_local struct change *gathered, **last;
static _Thread_local struct hub_event is_gathered;
static _Thread_local bool is_closed;

int
writer_change(store_change *run, void *argument)
{
	struct change change = {.run = run, .argument = argument, .error = ECANCELED};
	struct hub_timeout shield;

	if (is_closed)
		return ECANCELED;
	*(gathered == NULL ? &gathered : last) = &change;
	last = &change.next;
	hub_event_set(&is_gathered);
	hub_shield_start(&shield);
	while (hub_event_wait(&change.done) != 0)
		continue; /* until then others look at it */
	hub_shield_stop(&shield);
	return change.error;
}

/* Commits the changes from first to before end in one transaction. Returns 0 or an error. */
static int
commit(struct store *store, struct change *first, const struct change *end)
{
	struct transaction transaction = lmdb_write(store);

	for (struct change *at = first; at != end && transaction.error == 0; at = at->next)
		at->run(&transaction, at->argument);
	return lmdb_write_end(&transaction);
}

/* Commits a group, in another thread. If that fails, each change has a transaction of its own: only
 * that for which there is no room fails. */
static void *
commit_group(void *argument)
{
	const struct group *group = argument;
	int error = commit(group->store, group->first, NULL);

	for (struct change *at = group->first; at != NULL; at = at->next)
		at->error = error == 0 || group->first->next == NULL
				    ? error
				    : commit(group->store, at, at->next);
	return NULL;
}

static void
end_group(struct change *first)
{
	int64_t count = 0;

	for (struct change *at = first, *next; at != NULL; at = next) {
		next = at->next; /* its memory is its coroutine's, which goes on now */
		hub_event_set(&at->done);
		count++;
	}
	if (count > 0)
		hubbub_record(KV_GROUP, count);
}

const char *
writer_run(struct store *store)
{
	while (hub_event_wait(&is_gathered) == 0) {
		struct group group = {store, gathered};

		gathered = NULL;
		hub_event_clear(&is_gathered);
		hub_offload(commit_group, &group, NULL);
		end_group(group.first);
	}
	is_closed = true;
	end_group(gathered);
	return NULL;
}

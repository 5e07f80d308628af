/* Connections of a hub to an engine on another machine. Which of them are idle is a stack: those
 * that are used least are at its bottom. */
#include "remote.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/patch/patch.h>
#include <string.h>
#include <sys/socket.h>

#include "engine.h"

static _Thread_local struct hub_semaphore free_places;
static _Thread_local void *idle[REMOTE_MOST];
static _Thread_local unsigned idle_count;

void
remote_open(void)
{
	hub_patch_all();
}

const char *
remote_hub_open(struct store *store)
{
	(void)store;
	hub_semaphore_init(&free_places, REMOTE_MOST);
	return NULL;
}

void
remote_hub_close(struct store *store)
{
	while (idle_count > 0)
		store->engine->remote->disconnect(idle[--idle_count]);
}

const char *
remote_why(int error)
{
	return strerror(error);
}

/* Whether an idle connection has nothing to say: otherwise it has ended, or is about to. */
static bool
is_quiet(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

static void *
take(const struct remote_kind *kind, const struct store *store)
{
	while (idle_count > 0) {
		void *connection = idle[--idle_count];

		if (is_quiet(kind->fd(connection)))
			return connection;
		kind->disconnect(connection);
	}
	return kind->connect(store);
}

static void
give_back(const struct remote_kind *kind, void *connection, bool is_useful)
{
	if (is_useful && !kind->is_broken(connection))
		idle[idle_count++] = connection;
	else
		kind->disconnect(connection);
}

int
remote_run(struct store *store, bool writes, store_change *change, void *argument)
{
	const struct remote_kind *kind = store->engine->remote;
	struct hub_timeout patience;
	void *connection = NULL;
	int error = ENGINE_UNREACHED;
	bool has_place, is_late;

	hub_timeout_start(&patience, store->patience);
	has_place = hub_semaphore_acquire(&free_places) == 0;
	if (has_place)
		connection = take(kind, store);
	if (connection != NULL)
		error = kind->run(store, connection, writes, change, argument);
	is_late = hub_timeout_stop(&patience);
	/* One whose coroutine was to end in between has more to say. */
	if (connection != NULL)
		give_back(kind, connection,
			error != ENGINE_LOST && error != ENGINE_UNREACHED && !is_late);
	if (has_place)
		hub_semaphore_release(&free_places);
	return is_late && error == ENGINE_UNREACHED ? ENGINE_LATE : error;
}

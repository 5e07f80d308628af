#include "worker/connection.h"

#include <errno.h>
#include <stdlib.h>

/* Owned by its coroutine once that runs, by the thread's list before. */
struct connection {
	struct list link;
	struct worker_thread *thread;
	int client;
};

static void
connection_close(struct connection *connection)
{
	struct worker_thread *thread = connection->thread;

	hub_close(connection->client);
	list_remove(&connection->link);
	free(connection);
	thread->open--;
	counters_add(&thread->row->closed, 1);
}

static void *
connection_run(void *argument)
{
	struct connection *connection = argument;
	struct worker_thread *thread = connection->thread;
	const struct worker_heritage *heritage = thread->heritage;

	heritage->serve(connection->client, heritage->context);
	connection_close(connection);
	/* Somebody may wait for a descriptor, or for the last connection to end. */
	hub_event_set(&thread->closed);
	return NULL;
}

int
connection_open(struct worker_thread *thread, int client)
{
	struct connection *connection = malloc(sizeof *connection);
	struct hub_coroutine *coroutine =
		connection != NULL ? hub_spawn(connection_run, connection) : NULL;

	if (coroutine == NULL) {
		int error = connection != NULL ? errno : ENOMEM;

		free(connection);
		hub_close(client);
		errno = error;
		return -1;
	}
	*connection = (struct connection){.thread = thread, .client = client};
	list_append(&thread->connections, &connection->link);
	thread->open++;
	counters_add(&thread->row->accepted, 1);
	hub_set_name(coroutine, "connection");
	hub_detach(coroutine);
	return 0;
}

void
connection_close_rest(struct worker_thread *thread)
{
	LIST_EACH (link, &thread->connections)
		connection_close(CONTAINER_OF(link, struct connection, link));
}

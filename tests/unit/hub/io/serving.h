/* What tests of servers share: a service, clients, and a count of what happened. */
#ifndef HUBBUB_TESTS_UNIT_HUB_IO_SERVING_H
#define HUBBUB_TESTS_UNIT_HUB_IO_SERVING_H

#include "hub/hub.h"

struct serving {
	int opened, closed;
	int failed, waited; /* accepts; those after which the server paused */
};

/* A service that sends back what it receives. */
void serving_echo(int client, void *context);

/* Options of a server whose context is a record: they count there. */
void serving_opened(void *context);
void serving_closed(void *context);
void serving_failed(void *context, int error, bool will_wait);

/* A client of the listener, connected by the hub. */
int serving_connect(int listener);

/* Whether the peer echoes a byte within that time. */
bool serving_echoes(int fd, int64_t patience);

#endif

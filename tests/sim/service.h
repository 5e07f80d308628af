/* An echo service, by one coroutine or by two that share the descriptor, and what has moved over
 * each of its connections. */
#ifndef HUBBUB_TESTS_SIM_SERVICE_H
#define HUBBUB_TESTS_SIM_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct session {
	int client;
	int64_t moved_at;            /* when bytes last came or went, or it began */
	int64_t receiving_since;     /* without a pause */
	unsigned receiving, sending; /* coroutines in such a call */
	bool has_received, is_asked; /* any byte ever; bytes since bytes were last sent */
	bool is_told;                /* hub_end_input */
};

/* The session of a client that is being served; NULL: none. */
struct session *service_session(int client);

/* A hub_serve_fn. */
void service_serve(int client, void *unused);

#endif

/* A visit: a request for a page of the service's own, for which a worker is asked (ask.h) while
 * libmicrohttpd leaves the connection alone. */
#ifndef HUBBUB_FACE_VISIT_H
#define HUBBUB_FACE_VISIT_H

#include <stddef.h>

#include "master/face/http.h"
#include "worker/command.h"

struct master;

struct visit {
	struct http *http;
	struct MHD_Connection *connection;
	unsigned code;    /* of HTTP; 0 as long as the worker is asked */
	const char *type; /* of the text */
	char *text;       /* owned; NULL without memory for it */
	size_t length;
};

/* Asks a worker for the command, with the arguments of the request's URL, and suspends the
 * connection; or answers at once why it cannot be asked. NULL without memory. */
struct visit *visit_new(struct master *master, struct http *http, struct MHD_Connection *connection,
	const struct hubbub_command *command);

/* Frees a visit whose worker is asked no more; NULL is ignored. */
void visit_free(struct visit *visit);

#endif

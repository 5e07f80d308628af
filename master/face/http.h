/* An HTTP server in the master's loop: libmicrohttpd without a thread, and without its own
 * accepting. A client has HTTP_PATIENCE from its connect to the end of its last answer, whatever it
 * does meanwhile. If all places are taken, a client gives way to each new one (places.h). So a
 * probe is answered, however many slow clients there are. */
#ifndef HUBBUB_FACE_HTTP_H
#define HUBBUB_FACE_HTTP_H

#include <ev.h>
#include <microhttpd.h>

#include "hub/base/clock.h"

#define HTTP_PLACES 64                    /* clients at a time */
#define HTTP_PATIENCE (10 * CLOCK_SECOND) /* nanoseconds for a client in all */

struct http;

/* Makes an HTTP server for a listening, non-blocking socket, which it owns from now on, also on
 * failure. answer is called for each request, and completed at its end, as by libmicrohttpd, with
 * context. answer may suspend its connection, which is to be resumed before http_free. The server
 * accepts nobody before http_open. NULL if memory or file descriptors ran out. */
struct http *http_new(struct ev_loop *loop, int fd, MHD_AccessHandlerCallback answer,
	MHD_RequestCompletedCallback completed, void *context);

/* Starts accepting and answering, for the first time or again. */
void http_open(struct http *http);

/* Stops accepting and answering until http_open or http_finish. */
void http_pause(struct http *http);

/* Stops accepting; clients that are connected are answered. */
void http_finish(struct http *http);

/* Has answer be called again for a connection that it has suspended, at the loop's next turn. */
void http_resume(struct http *http, struct MHD_Connection *connection);

/* Disconnects all clients, closes the socket, and frees the server. */
void http_free(struct http *http);

#endif

/* An HTTP server in the master's loop: libmicrohttpd's, without a thread, and without its own way
 * to accept. A client has HTTP_PATIENCE as a whole, from its connect to the end of the answer,
 * whatever it does meanwhile; when all places are taken, one gives way to whoever comes (places.h).
 * So a probe is answered, however many clients are slow. */
#ifndef HUBBUB_FACE_HTTP_H
#define HUBBUB_FACE_HTTP_H

#include <ev.h>
#include <microhttpd.h>

#include "hub/base/clock.h"

#define HTTP_PLACES 64
#define HTTP_PATIENCE (10 * CLOCK_SECOND)

struct http;

/* Makes one for a socket that listens and does not block, which it owns; answer is called for each
 * request, as libmicrohttpd does. It answers from http_open on. NULL if there is no memory or no
 * file left; then the socket is closed. */
struct http *http_new(
	struct ev_loop *loop, int fd, MHD_AccessHandlerCallback answer, void *context);

/* Answers, from now on or again. */
void http_open(struct http *http);

/* Answers nobody for a moment. */
void http_pause(struct http *http);

/* Accepts no more; those that are connected are answered. */
void http_finish(struct http *http);

/* Closes everything. */
void http_free(struct http *http);

#endif

/* The head of an HTTP request, as far as a handshake needs it. */
#ifndef WEBSOCKET_REQUEST_H
#define WEBSOCKET_REQUEST_H

#include <stdbool.h>

struct hub_stream;

#define HEAD_MOST 8192 /* bytes */

/* Values that are texts are cut to their room, and then fit nothing that is asked for. */
struct request {
	char path[64];
	char host[256];
	char origin[256];
	char key[32];
	char version[8];
	bool upgrades; /* the header Upgrade names websocket */
	bool connects; /* the header Connection names upgrade */
};

/* Reads a head. Switches: yes.
 * Returns NULL; "" if there is none to be answered; or the status that is the answer. */
const char *request_read(struct hub_stream *stream, struct request *request);

#endif

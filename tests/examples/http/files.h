/* Files below one directory. */
#ifndef HTTP_FILES_H
#define HTTP_FILES_H

#include <stdbool.h>

#include "answer.h"
#include "request.h"

/* Answers a request for a file below the directory root. Returns whether the client can be spoken
 * to further. Switches: yes. */
bool files_answer(int client, struct hub_stream *stream, int root, const struct request *request,
	struct answer *answer);

#endif

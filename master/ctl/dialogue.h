/* One request to a server's control socket; master/control.h has the protocol. */
#ifndef HUBBUB_CTL_DIALOGUE_H
#define HUBBUB_CTL_DIALOGUE_H

#include <stdbool.h>

#define DIALOGUE_PATH_SIZE 108
/* Seconds of silence after which a server does not answer; status is read from memory. */
#define DIALOGUE_TIME 10
#define DIALOGUE_STATUS_TIME 5

/* Finds the socket of the one server that runs here. Returns 0, or -1 with a message in error that
 * lists those that do. */
int dialogue_find(char path[static DIALOGUE_PATH_SIZE], char *error, int error_size);

/* Sends a request and hands each line of the answer to hear, with its kind: '|' output, '-'
 * progress, of which there is some each second. Silence of so many seconds is the end, too.
 * Returns 0 if the server has done it, also if it ended doing so where that was asked
 * (ends), or 1; message gets the last line, or what went wrong. */
int dialogue_run(const char *path, const char *request, int seconds, bool ends,
	void (*hear)(char kind, const char *line, void *context), void *context, char *message,
	int message_size);

#endif

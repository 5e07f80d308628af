/* One request to a server's control socket; master/face/control.h has the protocol. */
#ifndef HUBBUB_CTL_DIALOGUE_H
#define HUBBUB_CTL_DIALOGUE_H

#include <stdbool.h>
#include <sys/types.h>

#define DIALOGUE_PATH_SIZE 108
#define DIALOGUE_MESSAGE_SIZE 1024
/* Seconds of silence after which a server does not answer: what takes long tells so each second,
 * and status is read from memory. */
#define DIALOGUE_PATIENCE 10
#define DIALOGUE_STATUS_PATIENCE 5

struct dialogue {
	const char *path;
	const char *request;
	int patience; /* seconds of silence */
	int limit;    /* seconds for all of it */
	bool ends;    /* it asks the server to end */
	/* Gets each line of the answer, with its kind: '|' output, '-' progress. */
	void (*hear)(char kind, const char *line, void *context);
	void *context;
	char message[DIALOGUE_MESSAGE_SIZE]; /* the last line, or what went wrong */
};

#define DIALOGUE_NONE (-1)
#define DIALOGUE_SEVERAL (-2)

/* Finds the socket of the one server that runs here, or of the one whose master is pid (0: any).
 * Returns 0, DIALOGUE_NONE or DIALOGUE_SEVERAL, with a message in error that lists those that do,
 * and what those that do not have left. */
int dialogue_find(pid_t pid, char path[static DIALOGUE_PATH_SIZE], char *error, int error_size);

/* Sends the request and hears the answer. Returns 0 if the server has done it, also if its process
 * has ended where that was asked, or 1. That a server hangs up is not taken for its end. */
int dialogue_run(struct dialogue *dialogue);

#endif

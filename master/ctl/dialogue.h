/* One request to a server's control socket, by the protocol of master/face/control.h. All functions
 * block. */
#ifndef HUBBUB_CTL_DIALOGUE_H
#define HUBBUB_CTL_DIALOGUE_H

#include <stdbool.h>
#include <sys/types.h>

#define DIALOGUE_PATH_SIZE 108
#define DIALOGUE_MESSAGE_SIZE 1024
/* Seconds of silence after which a server counts as not answering: a command that takes long sends
 * progress each second, and status is answered from memory. */
#define DIALOGUE_PATIENCE 10
#define DIALOGUE_STATUS_PATIENCE 5

/* The caller fills in all fields but message, which dialogue_run sets. */
struct dialogue {
	const char *path;    /* of the control socket */
	const char *request; /* a line without newline */
	int patience;        /* seconds of silence */
	int limit;           /* seconds for the whole dialogue */
	bool ends;           /* the request asks the server to end */
	/* Called for each line of the answer but the last, with its kind: '|' output, '-'
	 * progress. */
	void (*hear)(char kind, const char *line, void *context);
	void *context;
	/* Where dialogue_run puts the descriptor that came with the answer, the caller's; -1 for
	 * none. NULL: none is wanted. */
	int *descriptor;
	char message[DIALOGUE_MESSAGE_SIZE]; /* the last line, or the error */
};

#define DIALOGUE_NONE (-1)
#define DIALOGUE_SEVERAL (-2)

/* Finds the control socket of the only server in /run/hubbub and $XDG_RUNTIME_DIR, or of the one
 * whose master is pid (0: any). May block for a second for each socket. Returns 0; or DIALOGUE_NONE
 * or DIALOGUE_SEVERAL, with a message in error that lists the sockets that were found. */
int dialogue_find(pid_t pid, char path[static DIALOGUE_PATH_SIZE], char *error, int error_size);

/* Sends the request and reads the answer. Returns 0 if the server has done it, also if its process
 * has ended and the request asked for that; 2 if there is no such command, or the service's own
 * refuses its arguments; else 1. Only the end of the process counts as the server's end, not that
 * it hangs up. */
int dialogue_run(struct dialogue *dialogue);

#endif

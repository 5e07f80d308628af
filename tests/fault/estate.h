/* A server with all that only one master may own: listening sockets of every kind, pid file,
 * control socket, admin server. Whose they are is asked as clients and operators do. */
#ifndef HUBBUB_TESTS_ESTATE_H
#define HUBBUB_TESTS_ESTATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/folder.h"
#include "tests/support/server.h"

#define ESTATE_DRAIN 20 /* seconds for connections to end */

struct estate {
	struct server server; /* its pid is the owner's */
	char folder[FOLDER_SIZE];
	char pidfile[FOLDER_SIZE + 16];
	char path[FOLDER_SIZE + 16];
	char interrupted[FOLDER_SIZE +
			 16]; /* a file with the pid of a master that was interrupted */
	int udp;
	char why[1024]; /* the last thing that was not as it should be */
};

/* Starts one; if interruption is not NULL, one of its masters is interrupted so: "before GO kill"
 * (interrupt.c). */
bool estate_start(struct estate *estate, const char *interruption);

/* Whether masters can be interrupted in this build. */
bool estate_can_interrupt(void);

/* The pid of the master that was interrupted; 0 if none has been. */
pid_t estate_interrupted(struct estate *estate);

/* The pid in the pid file; 0 without one. */
pid_t estate_pidfile(const struct estate *estate);

/* Whether one master owns all, serves and answers; then it is the server's pid. For wait_until. */
bool estate_has_owner(void *estate);

/* Whether nobody is left of the server but its owner and that one's own workers. For wait_until. */
bool estate_is_tidy(void *estate);

/* Starts the same server, whose owner has just ended. Returns whether it serves; then it is ended,
 * too. */
bool estate_starts_again(struct estate *estate);

/* Kills whatever is left. */
void estate_clean(struct estate *estate);

#endif

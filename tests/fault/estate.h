/* A server with all that only one master may own: listening sockets of every kind, pid file,
 * control socket, admin server. Whose they are is asked as clients and operators do. */
#ifndef HUBBUB_TESTS_ESTATE_H
#define HUBBUB_TESTS_ESTATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/certificate.h"
#include "tests/support/endpoint.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

#define ESTATE_DRAIN 20 /* seconds for connections to end */

/* What is special about one; nothing, where a field is zero. */
struct estate_options {
	const char *interruption; /* of one of its masters: "before GO kill" (interrupt.c) */
	enum transport transport; /* which target is the main one */
	bool is_passed;           /* the main target's socket is a service manager's */
	int drain;                /* seconds instead of ESTATE_DRAIN */
	const char *more;         /* an option */
};

struct estate {
	struct server server; /* its pid is the owner's; its folder is not used */
	struct estate_options options;
	struct target target;     /* the main one; all three are the server's */
	struct target targets[3]; /* of TCP, Unix sockets, datagrams */
	unsigned target_count;
	struct certificate certificate;
	int passed;                    /* a socket; -1: none */
	char script[FOLDER_SIZE + 16]; /* that passes it */
	char folder[FOLDER_SIZE];
	char pidfile[FOLDER_SIZE + 16];
	char path[FOLDER_SIZE + 16];
	char interrupted[FOLDER_SIZE + 16];  /* a file: the pid of a master that was interrupted */
	char why[PROGRAM_OUTPUT_SIZE + 256]; /* the last thing that was not as it should be */
};

/* Starts one. */
bool estate_start(struct estate *estate, const struct estate_options *options);

/* The pid of the master that was interrupted, and has stopped or died; 0 if none has. */
pid_t estate_interrupted(const struct estate *estate);

/* Asks for an upgrade by hubbub-ctl, which runs on, and waits until a master is interrupted in it.
 * Returns that one's pid, or 0: hubbub-ctl may say why. */
pid_t estate_upgrade(struct estate *estate, struct program *ctl);

/* The pid in the pid file; 0 without one. */
pid_t estate_pidfile(const struct estate *estate);

/* Whether one master owns all, serves and answers; then it is the server's pid. For wait_until. */
bool estate_has_owner(void *estate);

/* Whether nobody is left of the server but its owner and that one's own workers. For wait_until. */
bool estate_is_tidy(void *estate);

/* Whether nobody is left of it at all. For wait_until. */
bool estate_is_gone(void *estate);

/* Starts the same server, whose owner has just ended. Returns whether it serves; then it is ended,
 * too. */
bool estate_starts_again(struct estate *estate);

/* Kills whatever is left. */
void estate_clean(struct estate *estate);

#endif

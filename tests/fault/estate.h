/* A server with everything that only one master may own: listening sockets of every kind, pid file,
 * control socket, admin server. Who owns each of them is asked as clients and operators would. */
#ifndef HUBBUB_TESTS_ESTATE_H
#define HUBBUB_TESTS_ESTATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/certificate.h"
#include "tests/support/endpoint.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

/* Seconds for connections to end: longer than a load and its changes take on a machine that is busy
 * with sanitizers. */
#define ESTATE_DRAIN 90

/* How a server differs from the usual one; fields that are zero change nothing. */
struct estate_options {
	/* Where one of its masters is interrupted: "before GO kill" (interrupt.c). */
	const char *interruption;
	enum transport transport; /* which target is the main one */
	bool is_passed;           /* a service manager owns the main target's socket */
	bool has_background;      /* the service has a function of which there is one */
	int drain;                /* seconds instead of ESTATE_DRAIN */
	const char *more;         /* one more option */
};

struct estate {
	struct server server; /* its pid is the owner's; its directory is not used */
	struct estate_options options;
	struct target target;     /* the main target */
	struct target targets[3]; /* of TCP, Unix socket and datagrams */
	unsigned target_count;
	struct certificate certificate;
	int passed;                    /* the passed socket; -1: none */
	char script[FOLDER_SIZE + 16]; /* the script that passes it */
	char folder[FOLDER_SIZE];
	char pidfile[FOLDER_SIZE + 16];
	char turns[FOLDER_SIZE + 16]; /* the file of that function's turns */
	char path[FOLDER_SIZE + 16];
	char interrupted[FOLDER_SIZE + 16];  /* the file with the pid of the interrupted master */
	char why[PROGRAM_OUTPUT_SIZE + 256]; /* the last thing that was not as it should be */
};

/* Starts a server. Returns whether it is ready. */
bool estate_start(struct estate *estate, const struct estate_options *options);

/* The pid of the interrupted master, once it has stopped or died; 0 before. */
pid_t estate_interrupted(const struct estate *estate);

/* Starts hubbub-ctl upgrade, which runs on, and waits until a master is interrupted in the upgrade.
 * Returns that master's pid, or 0: then hubbub-ctl's output may say why. */
pid_t estate_upgrade(struct estate *estate, struct program *ctl);

/* The pid in the pid file; 0 without one. */
pid_t estate_pidfile(const struct estate *estate);

/* Whether one master owns everything, serves and answers; its pid becomes the server's. For
 * wait_until. */
bool estate_has_owner(void *estate);

/* Whether no process of the server is left but its owner and the owner's workers. For
 * wait_until. */
bool estate_is_tidy(void *estate);

/* Whether no process of the server is left. For wait_until. */
bool estate_is_gone(void *estate);

/* Starts the same server anew after its owner has ended. Returns whether it serves; then ends it,
 * too. */
bool estate_starts_again(struct estate *estate);

/* Kills the processes that are left. */
void estate_clean(struct estate *estate);

#endif

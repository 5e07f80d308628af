/* A running server, asked as an operator asks it: by hubbub-ctl and HTTP. */
#ifndef HUBBUB_TESTS_SERVER_H
#define HUBBUB_TESTS_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/support/program.h"

struct server {
	struct program program;
	pid_t pid;         /* of the master that serves: after an upgrade not the program's */
	char control[108]; /* path of its socket, in a folder of its own */
	char folder[64];
	int admin; /* port */
};

/* A port that is free, that no other test's process chooses until this one ends, and that no client
 * gets as its own: a server can have it again. */
int server_lasting_port(void);

/* Makes its folder, and names its control socket there, as server_start does, for a server that is
 * started in another way. Returns whether it did. */
bool server_make_folder(struct server *server);

/* Starts a program of this build with -p and -t and more options (ended by NULL), a control socket,
 * and an admin server, and waits until it is ready. */
bool server_start(struct server *server, const char *name, const char *processes,
	const char *threads, ...) __attribute__((sentinel));

/* The refusal of a change: on a busy machine a hub can wait for so long that it seems to hang. */
#define SERVER_NOT_READY "a worker is not ready; try again"

/* Runs hubbub-ctl with a command and at most one argument (or NULL); after SERVER_NOT_READY again,
 * for twenty seconds. Returns its exit code; output gets what it printed, if not NULL. */
int server_ctl(struct server *server, const char *command, const char *argument, char *output,
	size_t size);

/* The state, from /stats.json; the caller frees it. NULL if it does not answer. */
json_t *server_stats(struct server *server);

/* An answer of the admin server, without its head; code gets the status. The caller frees it. */
char *server_get(struct server *server, const char *path, int *code);

/* A number of the state: "connections", or one of its totals, as "totals.lost". */
long server_number(struct server *server, const char *key);

/* The pid of a worker, and the number of connections of a hub. */
pid_t server_worker(struct server *server, unsigned worker);
long server_hub(struct server *server, unsigned worker, unsigned hub, const char *key);

/* The port of another address that its ready line names, such as "udp:127.0.0.1:"; 0 if it has
 * none. */
int server_port(const struct server *server, const char *address);

/* How many sockets listen on a port of loopback, and of these, in whose queue so many find room, as
 * ss -ltn tells. -1 if the kernel does not. */
int server_queues(int port, int length, int *with_length);

/* Sends TERM and waits; returns the exit code. */
int server_end(struct server *server, double seconds);

/* Kills what still runs, and removes the folder. */
void server_clean(struct server *server);

#endif

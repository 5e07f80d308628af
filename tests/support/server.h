/* A running server, and what operators use on it: hubbub-ctl and HTTP. */
#ifndef HUBBUB_TESTS_SERVER_H
#define HUBBUB_TESTS_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/support/program.h"

struct server {
	struct program program;
	pid_t pid;         /* the serving master; after an upgrade another one than the program's */
	char control[108]; /* path of its control socket, in folder */
	char folder[64];   /* a temporary directory of its own */
	int admin;         /* port of its admin server */
};

/* A free port that no other test's process chooses until this one ends, and that no client gets as
 * its ephemeral port: so a server can have it again after a restart. */
int server_lasting_port(void);

/* Makes the server's directory and the path of its control socket, as server_start does, for a
 * server that is started otherwise. Returns whether it did. */
bool server_make_folder(struct server *server);

/* Starts a program of the build with -p, -t and further options (ended by NULL), a control socket
 * and an admin server, and waits until it is ready. Returns whether it is. */
bool server_start(struct server *server, const char *name, const char *processes,
	const char *threads, ...) __attribute__((sentinel));

/* The refusal of a change while a hub seems to hang, which it may on a busy machine. */
#define SERVER_NOT_READY "a worker is not ready; try again"

/* Runs hubbub-ctl with a command and an argument (or NULL); repeats it for a minute as long as
 * the answer is SERVER_NOT_READY. Returns its exit code. output, if not NULL, becomes what it
 * printed. */
int server_ctl(struct server *server, const char *command, const char *argument, char *output,
	size_t size);

/* The server's state, from /stats.json; the caller frees it. NULL if there is no answer. */
json_t *server_stats(struct server *server);

/* Whether that worker is ready, by what server_stats has returned, which may be NULL. */
bool server_is_ready(const json_t *stats, unsigned worker);

/* The body of the admin server's answer to GET path; *code becomes the HTTP status. The caller
 * frees the body. NULL if there is no answer. */
char *server_get(struct server *server, const char *path, int *code);

/* A number of the state: "connections", or a total, such as "totals.lost". */
long server_number(struct server *server, const char *key);

/* The pid of a worker; and a number or boolean of a hub. */
pid_t server_worker(struct server *server, unsigned worker);
long server_hub(struct server *server, unsigned worker, unsigned hub, const char *key);

/* Sends a signal to a worker, once it has a process: while it is replaced it has none. */
void server_signal_worker(struct server *server, unsigned worker, int number);

/* The port of another address in its ready line, by what precedes the port, such as
 * "udp:127.0.0.1:"; 0 if there is none. */
int server_port(const struct server *server, const char *address);

/* How many sockets listen on a TCP port; *with_length becomes how many of them have a backlog of
 * that length, as ss -ltn shows. -1 if the kernel does not answer. */
int server_queues(int port, int length, int *with_length);

/* Sends SIGTERM to the serving master and waits for its end. Returns the exit code, which is 0 for
 * a master that took over; -1 if it has not ended after so many seconds. */
int server_end(struct server *server, double seconds);

/* Kills the processes that still run, and removes the directory. */
void server_clean(struct server *server);

#endif

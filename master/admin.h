/* The admin HTTP server: /metrics, /livez, /readyz, /stats.json, / (a live page), and POST /drain. It is
 * libmicrohttpd's, run from the master's loop: no thread, and nothing that waits. */
#ifndef HUBBUB_MASTER_ADMIN_H
#define HUBBUB_MASTER_ADMIN_H

#include "master/address.h"

struct master;
struct admin;

/* Serves on a listening socket, which it owns. NULL after logging. */
struct admin *admin_start(struct master *master, int fd);

/* Ceases to accept: another master does, on the same socket. */
void admin_pause(struct admin *admin);

int admin_fd(const struct admin *admin);

/* Closes everything. NULL is ignored. */
void admin_stop(struct admin *admin);

#endif

/* The admin HTTP server: /metrics, /livez, /readyz, /stats.json, / (a live page), POST /drain, and
 * the pages of the service's own (worker/command.h), for which it asks a worker (ask.h). It runs in
 * the master's loop (http.h), without a thread, and never blocks. */
#ifndef HUBBUB_FACE_ADMIN_H
#define HUBBUB_FACE_ADMIN_H

#include <stdbool.h>

#include "master/sockets/address.h"

struct master;
struct admin;

/* Whether every server has the page /NAME. */
bool admin_has_page(const char *name);

/* Makes an admin server for a listening socket, which it owns from now on, also on failure. It
 * accepts nobody before admin_open. NULL after logging that memory or files ran out. */
struct admin *admin_new(struct master *master, int fd);

/* Starts accepting and answering, for the first time or again. admin may be NULL here and in the
 * functions below. */
void admin_open(struct admin *admin);

/* Stops accepting and answering until admin_open; clients wait. */
void admin_pause(struct admin *admin);

/* Stops accepting, because another master accepts on the same socket. Clients that are connected
 * get one more answer, and are then disconnected. */
void admin_hand_over(struct admin *admin);

/* Disconnects all clients, closes the socket, and frees the admin server. */
void admin_stop(struct admin *admin);

#endif

/* The admin HTTP server: /metrics, /livez, /readyz, /stats.json, / (a live page), and POST /drain.
 * It runs in the master's loop (http.h): no thread, and nothing that waits. */
#ifndef HUBBUB_FACE_ADMIN_H
#define HUBBUB_FACE_ADMIN_H

#include "master/sockets/address.h"

struct master;
struct admin;

/* Makes one for a listening socket, which it owns; it answers from admin_open on. NULL after
 * logging. */
struct admin *admin_new(struct master *master, int fd);

/* Answers, from now on or again. NULL is ignored, as by the others. */
void admin_open(struct admin *admin);

/* Answers nobody for a moment. */
void admin_pause(struct admin *admin);

/* Another master accepts on the same socket; those that are connected are answered once more, and
 * let go. */
void admin_hand_over(struct admin *admin);

/* Closes everything. */
void admin_stop(struct admin *admin);

#endif

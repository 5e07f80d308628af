/* The doors: where operators and monitors reach the master, and what names its process to them: the
 * pid file, the control socket, the admin and agent servers. During an upgrade both masters hold
 * the same listening sockets, and one of them answers. */
#ifndef HUBBUB_FACE_DOORS_H
#define HUBBUB_FACE_DOORS_H

#include <stdbool.h>

struct master;

/* Takes the pid file and opens all listening sockets; clients wait in their queues until
 * doors_open. Returns 0, or -1 after logging. A default control socket that cannot be opened is
 * only a warning. */
int doors_prepare(struct master *master);

/* Makes the servers for the sockets that were prepared or handed over, so that nothing can fail any
 * more when this master comes to own the server. Returns 0, or -1 after logging. */
int doors_build(struct master *master);

/* Writes the pid, and starts answering: for the first time, after doors_pause, or after
 * doors_hand_over. */
void doors_open(struct master *master);

/* Stops answering and looking after the files; clients wait in the queues. */
void doors_pause(struct master *master);

/* Stops accepting, because another master accepts; admin clients that are connected are still
 * answered. */
void doors_hand_over(struct master *master);

/* Closes everything. is_ours: no other master has the server, so the control socket's file and the
 * pid file are removed. */
void doors_close(struct master *master, bool is_ours);

#endif

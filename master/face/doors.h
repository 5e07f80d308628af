/* The doors: where operators and monitors come in, and what names this process to them: the pid
 * file, the control socket, the admin and agent servers. In an upgrade two masters have the same
 * listening sockets, and one of them answers. */
#ifndef HUBBUB_FACE_DOORS_H
#define HUBBUB_FACE_DOORS_H

#include <stdbool.h>

struct master;

/* Listens where the options say; whoever comes waits until doors_open. Returns 0, or -1 after
 * logging. */
int doors_prepare(struct master *master);

/* Makes what will answer, on sockets that were prepared, or handed over; so that nothing is left
 * that could fail when this master owns the server. Returns 0, or -1 after logging. */
int doors_build(struct master *master);

/* Answers: for the first time, after doors_pause, or after doors_hand_over. */
void doors_open(struct master *master);

/* Answers nobody for a moment: whoever comes waits. */
void doors_pause(struct master *master);

/* Another master answers whoever comes; this one, those that have come. */
void doors_hand_over(struct master *master);

/* Closes everything; is_ours: no other master has it, so that files are removed, too. */
void doors_close(struct master *master, bool is_ours);

#endif

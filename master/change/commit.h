/* The commit point of an upgrade: one word in memory that both masters share, changed by
 * compare-and-swap alone. So either master can tell at any time which of the two owns the server,
 * whatever messages were lost. If both decide at the same time, one swap fails, and its master
 * knows that the other was first.
 *
 *	PREPARING --offer--> OFFERED --take--> TAKEN --leave--> LEFT
 *	    |                   |                 +----retake--> RETAKEN
 *	    +-----withdraw------+------------> WITHDRAWN
 *
 * A new master takes from PREPARING, too, if the old master is dead. */
#ifndef HUBBUB_CHANGE_COMMIT_H
#define HUBBUB_CHANGE_COMMIT_H

#include <stdbool.h>

#define COMMIT_LOOK_EVERY 0.1 /* seconds, while either master waits for the other one's swap */

enum commit_state {
	COMMIT_PREPARING, /* the old master owns the server; the new master is not ready */
	COMMIT_OFFERED,   /* no hub accepts; the new master may take, the old master withdraw */
	COMMIT_TAKEN,     /* the new master owns the server */
	COMMIT_LEFT,      /* the new master has left; the old master must not serve again */
	COMMIT_RETAKEN,   /* the old master owns the server again; the new master died */
	COMMIT_WITHDRAWN, /* the old master owns the server; the new master must end */
};

struct commit;

/* Makes a commit word, PREPARING. *fd gets the file descriptor of its memory, the caller's. NULL
 * with errno. */
struct commit *commit_new(int *fd);

/* Maps the commit word of another master; fd stays the caller's. NULL with errno. */
struct commit *commit_map(int fd);

/* Unmaps the commit word and nulls the pointer. A NULL pointer is ignored. */
void commit_free(struct commit **commit);

enum commit_state commit_state(const struct commit *commit);

/* In the old master: lets the new master take over, if the word is PREPARING. */
void commit_offer(struct commit *commit);

/* In the old master. Returns whether the new master has not taken over, and never will. */
bool commit_withdraw(struct commit *commit);

/* In the new master; is_alone: the old master is dead. Returns whether this swap made the new
 * master the owner of the server. */
bool commit_take(struct commit *commit, bool is_alone);

/* In the new master, after it has taken over, or in that master's own successor. Returns whether
 * the old master has not retaken the server, and never will. */
bool commit_leave(struct commit *commit);

/* In the old master, when the new master is dead. Returns whether the old master owns the server
 * again. */
bool commit_retake(struct commit *commit);

#endif

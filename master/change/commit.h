/* The commit point of an upgrade: one word in memory that both masters share, changed by
 * compare-and-swap alone. So each of them can tell at any time, whatever was said or not, who owns
 * the server; and of two that would decide at the same time one finds that the other one has.
 *
 *	PREPARING --offer--> OFFERED --take--> TAKEN --leave--> LEFT
 *	    |                   |                 +----retake--> RETAKEN
 *	    +-----withdraw------+------------> WITHDRAWN
 *
 * A new master whose old one is dead takes from PREPARING, too. */
#ifndef HUBBUB_CHANGE_COMMIT_H
#define HUBBUB_CHANGE_COMMIT_H

#include <stdbool.h>

#define COMMIT_LOOK_EVERY 0.1 /* seconds, while either master waits for the other one's swap */

enum commit_state {
	COMMIT_PREPARING, /* the old master owns the server; the new one is not ready */
	COMMIT_OFFERED, /* nobody opens connections: the new one may take over, the old one withdraw */
	COMMIT_TAKEN,     /* the new one owns the server */
	COMMIT_LEFT,      /* it did, and the old one is not to serve again, whatever befalls it */
	COMMIT_RETAKEN,   /* the old one does, because the new one died */
	COMMIT_WITHDRAWN, /* the old one does, and the new one leaves */
};

struct commit;

/* Makes one, PREPARING. *fd names it, and is the caller's. NULL with errno. */
struct commit *commit_new(int *fd);

/* Maps the one of another master. NULL with errno. */
struct commit *commit_map(int fd);

/* Unmaps it and nulls the pointer. A NULL pointer is ignored. */
void commit_free(struct commit **commit);

enum commit_state commit_state(const struct commit *commit);

/* In the old master. */
void commit_offer(struct commit *commit);

/* In the old master. Returns whether the new one has not taken over, and never will. */
bool commit_withdraw(struct commit *commit);

/* In the new master; is_alone: the old one is dead. Returns whether this one owns the server
 * now. */
bool commit_take(struct commit *commit, bool is_alone);

/* In the new master, which has taken over, or in the one after it. Returns whether the old one has
 * not taken back, and never will. */
bool commit_leave(struct commit *commit);

/* In the old master, when the new one is dead. Returns whether this one owns the server again. */
bool commit_retake(struct commit *commit);

#endif

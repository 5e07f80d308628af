/* Levelling: who gets how much of a budget, so that all come as near as possible to having the same
 * number, as water that is poured into unequal glasses which are joined. It knows nothing of
 * connections: permits, and the parts of a queue that workers adopt, are shared out by it.
 *
 *	has 5 1 3, budget 4  ->  gets 0 3 1: all have at least 4 */
#ifndef HUBBUB_FLEET_LEVEL_H
#define HUBBUB_FLEET_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

struct level_member {
	int64_t has;   /* at least 0 */
	int64_t most;  /* that it may get, at least 0 */
	int64_t holds; /* of the budget, since the last time; decides only who keeps an odd one */
	bool is_first; /* an odd one is rather its own than anybody else's */
	int64_t gets;  /* set by level_share */
};

/* Sets what each member gets. It adds up to the budget, or to all that the members may get, if that
 * is less. A negative budget is none. */
void level_share(struct level_member *members, unsigned count, int64_t budget);

#endif

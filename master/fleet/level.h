/* Levelling (water-filling): shares a budget among members that have unequal numbers already, so
 * that all come as near as possible to the same number. It shares out permits, and the clients of
 * an adopted queue.
 *
 *	has 5 1 3, budget 4  ->  gets 0 3 1: all have at least 4 */
#ifndef HUBBUB_FLEET_LEVEL_H
#define HUBBUB_FLEET_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

struct level_member {
	int64_t has;   /* before sharing, at least 0 */
	int64_t most;  /* upper limit of gets, at least 0 */
	int64_t holds; /* of the budget at present; matters only for the remainder */
	bool is_first; /* comes first when a remainder is shared */
	int64_t gets;  /* the member's share, set by level_share */
};

/* Sets what each member gets. The shares add up to the budget, or to the sum of most if that is
 * less. A negative budget counts as 0. */
void level_share(struct level_member *members, unsigned count, int64_t budget);

#endif

/* Binary search for the highest level that the budget pays for; the remainder, less than one for
 * each member, goes by rank. The ranks keep a remainder where it was, so that nothing moves to and
 * fro from tick to tick. */
#include "master/fleet/level.h"

#include "hub/base/check.h"

#define RANKS 4

static int64_t
part_of(const struct level_member *member, int64_t level)
{
	int64_t lacks = level > member->has ? level - member->has : 0;

	return lacks < member->most ? lacks : member->most;
}

/* The budget needed to bring all members to the level; some number above budget if it is
 * exceeded. */
static int64_t
cost_of(const struct level_member *members, unsigned count, int64_t level, int64_t budget)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < count && sum <= budget; i++)
		sum += part_of(&members[i], level);
	return sum;
}

/* The highest level that the budget pays for. The budget must be below the sum of most, or no level
 * would exceed it. */
static int64_t
find_level(const struct level_member *members, unsigned count, int64_t budget)
{
	int64_t low = 0, beyond = 1;

	while (cost_of(members, count, beyond, budget) <= budget)
		beyond *= 2;
	while (beyond - low > 1) {
		int64_t middle = low + (beyond - low) / 2;

		if (cost_of(members, count, middle, budget) <= budget)
			low = middle;
		else
			beyond = middle;
	}
	return low;
}

/* The rank in sharing the remainder: members marked is_first, then members that have it already. */
static unsigned
rank_of(const struct level_member *member, int64_t level)
{
	return (member->is_first ? 2 : 0) + (member->has + member->holds > level);
}

/* Shares the rest, which is less than one for each member that could rise to the next level. */
static void
share_rest(struct level_member *members, unsigned count, int64_t level, int64_t rest)
{
	for (unsigned rank = RANKS; rank-- > 0;) {
		for (unsigned i = 0; i < count && rest > 0; i++) {
			struct level_member *member = &members[i];

			if (rank_of(member, level) != rank || member->has > level ||
				part_of(member, level) == member->most)
				continue;
			member->gets++;
			rest--;
		}
	}
}

/* Whether the shares add up to the budget, or each member has as much as it may get. */
static bool
is_shared(const struct level_member *members, unsigned count, int64_t budget)
{
	bool are_full = true;

	for (unsigned i = 0; i < count; i++) {
		if (members[i].gets < 0 || members[i].gets > members[i].most ||
			members[i].gets > budget)
			return false;
		are_full = are_full && members[i].gets == members[i].most;
		budget -= members[i].gets;
	}
	return are_full || budget == 0;
}

void
level_share(struct level_member *members, unsigned count, int64_t budget)
{
	int64_t level, rest, all = 0;

	if (budget < 0)
		budget = 0;
	for (unsigned i = 0; i < count && all <= budget; i++)
		all += members[i].most;
	if (all <= budget) {
		for (unsigned i = 0; i < count; i++)
			members[i].gets = members[i].most;
		DCHECK(is_shared(members, count, budget));
		return;
	}
	level = find_level(members, count, budget);
	rest = budget;
	for (unsigned i = 0; i < count; i++) {
		members[i].gets = part_of(&members[i], level);
		rest -= members[i].gets;
	}
	CHECK_WHY(rest >= 0, "the budget pays for the level");
	share_rest(members, count, level, rest);
	DCHECK(is_shared(members, count, budget));
}

/* Every transition is one swap from an expected state: if the other master has decided meanwhile,
 * during a pause of any length, the swap fails. The swaps also order what the masters write to
 * shared memory before them. */
#include "master/change/commit.h"

#include <stdint.h>

#include "hub/base/memory.h"

struct commit {
	uint32_t state;
};

struct commit *
commit_new(int *fd)
{
	return memory_new("hubbub-commit", sizeof(struct commit), fd);
}

struct commit *
commit_map(int fd)
{
	return memory_map(fd, sizeof(struct commit));
}

void
commit_free(struct commit **commit)
{
	memory_free((void **)commit, sizeof **commit);
}

enum commit_state
commit_state(const struct commit *commit)
{
	return __atomic_load_n(&commit->state, __ATOMIC_ACQUIRE);
}

static bool
swap(struct commit *commit, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(
		&commit->state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

void
commit_offer(struct commit *commit)
{
	swap(commit, COMMIT_PREPARING, COMMIT_OFFERED);
}

bool
commit_withdraw(struct commit *commit)
{
	/* From either state, and again after a success. */
	return swap(commit, COMMIT_PREPARING, COMMIT_WITHDRAWN) ||
	       swap(commit, COMMIT_OFFERED, COMMIT_WITHDRAWN) ||
	       commit_state(commit) == COMMIT_WITHDRAWN;
}

bool
commit_take(struct commit *commit, bool is_alone)
{
	return swap(commit, COMMIT_OFFERED, COMMIT_TAKEN) ||
	       (is_alone && swap(commit, COMMIT_PREPARING, COMMIT_TAKEN));
}

bool
commit_leave(struct commit *commit)
{
	return swap(commit, COMMIT_TAKEN, COMMIT_LEFT) || commit_state(commit) == COMMIT_LEFT;
}

bool
commit_retake(struct commit *commit)
{
	return swap(commit, COMMIT_TAKEN, COMMIT_RETAKEN);
}

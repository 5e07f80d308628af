/* Less trouble: first whole kinds are left out, then parts of what is left, by halves, quarters and
 * so on down to single ones (Zeller's ddmin without its complements), as long as the run fails in
 * the same way. What is left out does not happen, whatever is drawn. */
#include "sim/search/shrink_priv.h"

#include <stdlib.h>
#include <string.h>

#define RUNS_MOST 1000

struct shrinking {
	const struct search *search;
	uint64_t seed;
	const char *format; /* of the failure */
	int signal;
	struct troubles *only; /* the run fails with it */
	struct troubles *less; /* to be tried */
	int runs;
};

/* Whether the run fails in the same way with less; then that is what it needs. */
static bool
suffices(struct shrinking *shrinking)
{
	struct troubles *kept = shrinking->only;
	struct outcome outcome;

	if (shrinking->less->count == kept->count || shrinking->runs++ == RUNS_MOST)
		return false;
	troubles_only(shrinking->less);
	outcome = attempt(shrinking->search, shrinking->seed, true);
	if (!outcome.has_failed || outcome.signal != shrinking->signal ||
		shrinking->search->seen->format != shrinking->format)
		return false;
	shrinking->only = shrinking->less;
	shrinking->less = kept;
	return true;
}

static void
leave_out_kind(struct shrinking *shrinking, unsigned kind)
{
	struct troubles *less = shrinking->less;

	less->count = 0;
	for (size_t i = 0; i < shrinking->only->count; i++)
		if (shrinking->only->each[i].kind != kind)
			less->each[less->count++] = shrinking->only->each[i];
	suffices(shrinking);
}

/* Returns whether it was left out. */
static bool
leave_out_part(struct shrinking *shrinking, size_t first, size_t count)
{
	const struct troubles *only = shrinking->only;
	size_t rest = first + count < only->count ? first + count : only->count;

	memcpy(shrinking->less->each, only->each, first * sizeof *only->each);
	memcpy(shrinking->less->each + first, only->each + rest,
		(only->count - rest) * sizeof *only->each);
	shrinking->less->count = only->count - (rest - first);
	return suffices(shrinking);
}

static void
leave_out(struct shrinking *shrinking)
{
	for (unsigned kind = 0; kind < TROUBLE_KINDS; kind++)
		leave_out_kind(shrinking, kind);
	for (size_t part = shrinking->only->count; part > 0; part = part / 2)
		for (size_t first = 0; first < shrinking->only->count;)
			if (!leave_out_part(shrinking, first, part))
				first += part;
}

struct outcome
shrink(const struct search *search, struct outcome outcome, struct troubles *only)
{
	struct shrinking shrinking = {
		.search = search,
		.seed = search->seen->seed,
		.format = search->seen->format,
		.signal = outcome.signal,
		.only = only,
		.less = malloc(sizeof *only),
	};

	if (shrinking.less == NULL || search->seen->troubles.count > TROUBLES_MOST) {
		free(shrinking.less);
		return outcome;
	}
	*only = search->seen->troubles;
	leave_out(&shrinking);
	/* Both lists are of the same size: only is the caller's. */
	if (shrinking.only != only) {
		*only = *shrinking.only;
		shrinking.less = shrinking.only;
	}
	free(shrinking.less);
	troubles_only(only);
	return attempt(search, shrinking.seed, true);
}

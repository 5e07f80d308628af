/* A search: a seed after the other, each in a process of its own, so that one that aborts, or
 * spoils the program's memory, spoils no other; and a seed alone does what it did in the search. */
#include "sim/attempt_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "hub/base/failed.h"
#include "hub/base/room.h"
#include "sim/shrink_priv.h"
#include "sim/world_priv.h"

/* The first seed that fails, or last. */
static struct outcome
try_all(const struct search *search, uint64_t *seed, uint64_t last)
{
	struct outcome outcome = attempt(search, *seed, false);

	while (!outcome.has_failed && *seed < last)
		outcome = attempt(search, ++*seed, false);
	return outcome;
}

/* ---- what the environment asks for ---- */

uint64_t
hub_sim_seed(uint64_t otherwise)
{
	const char *text = getenv("HUBBUB_SEED");
	char *end = NULL;
	uint64_t seed = text != NULL ? strtoull(text, &end, 10) : 0;

	return text != NULL && end != text && *end == '\0' ? seed : otherwise;
}

/* Returns false if HUBBUB_ONLY is not what a report says. */
static bool
read_only(struct troubles *only, bool *is_given)
{
	const char *text = getenv("HUBBUB_ONLY");

	*is_given = text != NULL;
	return text == NULL || troubles_read(only, text);
}

/* ---- the search ---- */

static int
search_with(struct search *search, uint64_t first, uint64_t last, struct troubles *only)
{
	uint64_t seed = hub_sim_seed(first);
	struct outcome outcome;
	bool is_given;

	if (!read_only(only, &is_given))
		return EINVAL;
	troubles_only(is_given ? only : NULL);
	outcome = try_all(search, &seed, getenv("HUBBUB_SEED") != NULL ? seed : last);
	if (outcome.has_failed && outcome.error == 0 && !is_given)
		outcome = shrink(search, outcome, only);
	report_write(search->seen, outcome.signal);
	troubles_only(NULL);
	return outcome.error != 0 ? outcome.error : outcome.has_failed ? ENOTRECOVERABLE : 0;
}

int
hub_sim_search(uint64_t first, uint64_t last, const struct hub_sim_options *options, hub_fn *body,
	void *argument)
{
	struct search search = {options, body, argument, NULL};
	struct troubles *only;
	int error = ENOMEM;

	if (options != NULL && !ROOM_IS_EMPTY(options))
		return -1;
	if (world_exists())
		return failed(EBUSY);
	search.seen = mmap(NULL, sizeof *search.seen, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	only = malloc(sizeof *only);
	if (search.seen != MAP_FAILED && only != NULL)
		error = search_with(&search, first, last, only);
	free(only);
	if (search.seen != MAP_FAILED)
		munmap(search.seen, sizeof *search.seen);
	return failed(error);
}

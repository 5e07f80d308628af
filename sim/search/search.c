/* A search: a seed after the other, each in a process of its own, so that one that aborts, or
 * spoils the program's memory, spoils no other; and a seed alone does what it did in the search. */
#include "sim/search/attempt_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hub/base/failed.h"
#include "hub/base/log.h"
#include "sim/arguments_priv.h"
#include "sim/search/shrink_priv.h"
#include "sim/world/world_priv.h"

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
	uint64_t seed = otherwise;
	const char *why = arguments_read_seed(&seed);

	if (why != NULL) {
		log_error("%s", why);
		abort();
	}
	return seed;
}

/* The seeds, and the only trouble, that the environment gives. NULL; or what is wrong with it. */
static const char *
read_environment(uint64_t *first, uint64_t *last, struct troubles *only)
{
	const char *why = arguments_read_seed(first), *text = getenv("HUBBUB_ONLY");

	if (getenv("HUBBUB_SEED") != NULL)
		*last = *first;
	troubles_only(text != NULL ? only : NULL);
	return why == NULL && text != NULL ? troubles_read(only, text) : why;
}

/* ---- the search ---- */

static int
search_with(const struct search *search, uint64_t seed, uint64_t last, struct troubles *only)
{
	bool is_given = troubles_are_given();
	struct outcome outcome = try_all(search, &seed, last);

	if (outcome.has_failed && outcome.error == 0 && !is_given)
		outcome = shrink(search, outcome, only);
	report_write(search->seen, outcome.signal);
	return outcome.error != 0 ? outcome.error : outcome.has_failed ? ENOTRECOVERABLE : 0;
}

/* What was seen lies where the children leave it. */
static int
search_seen(struct search *search, uint64_t first, uint64_t last, struct troubles *only)
{
	int error;

	search->seen = mmap(NULL, sizeof *search->seen, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (search->seen == MAP_FAILED)
		return ENOMEM;
	error = search_with(search, first, last, only);
	munmap(search->seen, sizeof *search->seen);
	return error;
}

/* Returns an error that is the search's own, and has the report say it. */
static int
give_up(int error, const char *why)
{
	report_refuse("%s", why);
	return error;
}

static int
search_here(struct search *search, uint64_t first, uint64_t last, struct troubles *only)
{
	const char *why;
	int error;

	if (only == NULL)
		return give_up(ENOMEM, strerror(ENOMEM));
	if (first > last)
		return give_up(
			EINVAL, "there is no seed to run: the first is greater than the last");
	why = read_environment(&first, &last, only);
	if (why != NULL)
		return give_up(EINVAL, why);
	error = search_seen(search, first, last, only);
	if (error != 0 && error != ENOTRECOVERABLE)
		give_up(error, strerror(error));
	return error;
}

int
hub_sim_search(uint64_t first, uint64_t last, const struct hub_sim_options *options, hub_fn *body,
	void *argument)
{
	struct search search = {options, body, argument, NULL};
	struct troubles *only;
	int error;

	if (world_exists())
		return failed(EBUSY);
	if (!arguments_are_valid(options, body))
		return -1;
	only = malloc(sizeof *only);
	error = search_here(&search, first, last, only);
	troubles_only(NULL);
	free(only);
	return failed(error);
}

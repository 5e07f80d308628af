/* A run in a child process, which leaves what was seen to its parent. */
#ifndef HUBBUB_SIM_ATTEMPT_PRIV_H
#define HUBBUB_SIM_ATTEMPT_PRIV_H

#include "sim/world/report_priv.h"

/* What is run: hub_sim_search's arguments. */
struct search {
	const struct hub_sim_options *options;
	hub_fn *body;
	void *argument;
	struct seen *seen; /* shared with the children */
};

/* How a child has ended. */
struct outcome {
	bool has_failed;
	int signal; /* that ended it, or 0 */
	int error;  /* of the search itself, such as EAGAIN of fork(2), or 0 */
};

/* Runs a seed in a child; is_quiet: what it prints is thrown away. */
struct outcome attempt(const struct search *search, uint64_t seed, bool is_quiet);

#endif

/* Trouble: each kind is a rate of struct hub_sim_options, with draws of its own, so that a kind
 * that is left out changes nothing in the others. None of the functions switches. */
#ifndef HUBBUB_SIM_TROUBLE_PRIV_H
#define HUBBUB_SIM_TROUBLE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

/* So much of a run is remembered. */
#define TROUBLES_MOST 65536
#define TROUBLE_KINDS (sizeof(struct hub_sim_options) / sizeof(unsigned))

/* That a draw of a kind, of which so many came before, was trouble. */
struct trouble {
	unsigned kind; /* the index of its rate in the options */
	uint64_t draw;
	int64_t at; /* since the world began */
};

/* In the order in which they happened. */
struct troubles {
	size_t count; /* may be more than are remembered */
	struct trouble each[TROUBLES_MOST];
};

/* A run begins, whose trouble is remembered in *met. only: the trouble that happens, whatever is
 * drawn; NULL: what is drawn. Both are borrowed. */
void troubles_begin(uint64_t seed, const struct hub_sim_options *options, struct troubles *met);
void troubles_only(const struct troubles *only);

/* Whether all that happens is given, instead of drawn. */
bool troubles_are_given(void);

/* The kind's name in the options, and what it does, in words. */
const char *trouble_name(unsigned kind);
const char *trouble_words(unsigned kind);

/* "partial:3 reset:1", of all; false if it does not fit. */
bool troubles_write(const struct troubles *troubles, char *text, size_t size);

/* Reads what was written so. Returns NULL; or what is wrong with it, in words, in static memory. */
const char *troubles_read(struct troubles *troubles, const char *text);

/* Draws whether trouble happens at that time, once in so many draws; never if the rate is 0. The
 * rate is a field of the options, whose place tells the kind. Returns the trouble in words, or NULL
 * if it does not happen. */
const char *trouble_drawn(const unsigned *rate, int64_t at);

#endif

/* Whether the options of two generations, or of two masters, differ in what a reload or an upgrade
 * cannot change. */
#ifndef HUBBUB_START_OPTIONS_COMPARE_H
#define HUBBUB_START_OPTIONS_COMPARE_H

#include <jansson.h>

#include "master/start/options.h"

#define OPTIONS_NAMES_SIZE 256

/* The options that differ. */
struct options_difference {
	char names[OPTIONS_NAMES_SIZE]; /* "--listen, --user"; empty if nothing differs */
	enum hubbub_change change;      /* what can change all of them; FIXED: a restart */
};

/* Compares the options in use with those of a reload, the service's included. Returns the options
 * that differ but cannot be changed by a reload. */
struct options_difference options_compare(const struct options *now, const struct options *next,
	const struct hubbub_service *service);

/* Returns an object with the value of each option that an upgrade cannot change, by its name. The
 * caller owns the reference; NULL if out of memory. */
json_t *options_fixed_json(const struct options *options, const struct hubbub_service *service);

/* Compares the options with the object that the former master made by options_fixed_json. Returns
 * the options that differ. An option that the former program did not have differs only if it is
 * given. */
struct options_difference options_compare_former(
	const struct options *options, const struct hubbub_service *service, const json_t *former);

#endif

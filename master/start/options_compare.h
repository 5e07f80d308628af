/* How the options of two generations, or of two servers, differ in what a reload or an upgrade
 * cannot change. */
#ifndef HUBBUB_START_OPTIONS_COMPARE_H
#define HUBBUB_START_OPTIONS_COMPARE_H

#include <jansson.h>

#include "master/start/options.h"

#define OPTIONS_NAMES_SIZE 256

struct options_difference {
	char names[OPTIONS_NAMES_SIZE]; /* "--listen, --user"; empty if nothing differs */
	enum hubbub_change change;      /* how all of them can be changed */
};

/* What differs but cannot change by a reload, of the server and the service. */
struct options_difference options_compare(const struct options *now, const struct options *next,
	const struct hubbub_service *service);

/* The values of all options that cannot change by an upgrade, by their names. A new reference, or
 * NULL without memory. */
json_t *options_fixed_json(const struct options *options, const struct hubbub_service *service);

/* What is not as such a document of the former master's says. An option that the former program did
 * not have is the same where it is not given. */
struct options_difference options_compare_former(
	const struct options *options, const struct hubbub_service *service, const json_t *former);

#endif

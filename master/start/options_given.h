/* The options that were given, for people. */
#ifndef HUBBUB_START_OPTIONS_GIVEN_H
#define HUBBUB_START_OPTIONS_GIVEN_H

#include <jansson.h>

#include "master/start/options.h"

/* Returns an array of the options of every server that are not left at their defaults, each as a
 * word of a command line: "--threads=2". The service's own options are not among them: they may be
 * secrets. The caller owns the reference; NULL if out of memory. */
json_t *options_given_json(const struct options *options);

#endif

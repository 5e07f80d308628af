/* Every option of a load: a row each. */
#ifndef HUBBUB_LOAD_OPTIONS_TABLE_H
#define HUBBUB_LOAD_OPTIONS_TABLE_H

#include <argp.h>

#include "master/server.h"
#include "master/start/table.h"

#define OPTIONS_TABLE_MAX 96

/* Into struct load; ended by one without a name. */
extern const struct hubbub_option options_table[];

/* Key of what is no option of a load. */
enum { OPTIONS_HELP_ALL = TABLE_EXTRA_KEY };

/* Headings of the help, and those; ended by one that is all zero, for argp. */
extern const struct argp_option options_extras[];

#endif

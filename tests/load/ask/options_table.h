/* Every option of a load, one row each, for master/start/table.h. */
#ifndef HUBBUB_LOAD_OPTIONS_TABLE_H
#define HUBBUB_LOAD_OPTIONS_TABLE_H

#include <argp.h>

#include "master/server.h"
#include "master/start/table.h"

#define OPTIONS_TABLE_MAX 96

/* Rows whose fields are those of struct load; a row without a name ends them. */
extern const struct hubbub_option options_table[];

/* The headings of the help; an entry that is all zero ends them, as argp expects. */
extern const struct argp_option options_extras[];

#endif

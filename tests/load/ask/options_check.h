/* What the options of a load mean together: derived values, and combinations that are refused. */
#ifndef HUBBUB_LOAD_OPTIONS_CHECK_H
#define HUBBUB_LOAD_OPTIONS_CHECK_H

#include "master/start/table.h"
#include "tests/load/ask/load.h"

/* The command that is run: it decides which options are required and what their defaults are. */
enum options_purpose { OPTIONS_RUN, OPTIONS_SEARCH, OPTIONS_SWEEP, OPTIONS_CHECK };

/* One reading of a command line; it is the context of the table. */
struct parse {
	struct table table;
	struct hubbub_option *rows; /* the table's rows, which options_check may change */
	struct load *load;
	enum options_purpose purpose;
};

/* Derives values that follow from other options, and checks that the options go together. Wrong
 * usage ends the process with LOAD_USAGE. */
void options_check(struct parse *parse);

#endif

/* What the options of a load mean as a whole. */
#ifndef HUBBUB_LOAD_OPTIONS_CHECK_H
#define HUBBUB_LOAD_OPTIONS_CHECK_H

#include "master/start/table.h"
#include "tests/load/ask/load.h"

/* What the arguments are for: it decides what must be there and what the defaults are. */
enum options_purpose { OPTIONS_RUN, OPTIONS_SEARCH, OPTIONS_SWEEP, OPTIONS_CHECK };

/* One reading of a command line; the table's context. */
struct parse {
	struct table table;
	struct hubbub_option *rows; /* the table's */
	struct load *load;
	enum options_purpose purpose;
};

/* Completes what the options leave to others, and refuses what does not go together: wrong usage
 * ends the process. */
void options_check(struct parse *parse);

#endif

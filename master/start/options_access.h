/* The option of the access log, and the file that it names. */
#ifndef HUBBUB_START_OPTIONS_ACCESS_H
#define HUBBUB_START_OPTIONS_ACCESS_H

#include "master/start/options_rows.h"
#include "master/start/table.h"

/* Reads --access-log into options->worker, and opens its file, which options_free closes.
 * Complains to the table. */
void options_open_access(struct options *options, struct table *table);

#endif

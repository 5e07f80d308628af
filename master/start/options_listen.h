/* The addresses of --listen, and which listener of the service serves each. */
#ifndef HUBBUB_START_OPTIONS_LISTEN_H
#define HUBBUB_START_OPTIONS_LISTEN_H

#include "master/start/options_rows.h"
#include "master/start/table.h"

/* Fills in options->addresses, each once, up to the first error, of which it complains to the
 * table: a text that is no address, or that the service does not serve. May ask the resolver, and
 * block. */
void options_resolve_listen(
	struct options *options, struct table *table, const struct hubbub_service *service);

#endif

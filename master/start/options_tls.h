/* The options of TLS, and the files that they name. */
#ifndef HUBBUB_START_OPTIONS_TLS_H
#define HUBBUB_START_OPTIONS_TLS_H

#include "master/start/options_rows.h"
#include "master/start/table.h"

/* Checks the options of TLS against each other, and reads their files into options->worker.tls,
 * which options_free frees; NULL without TLS. It speaks the service's protocols. Complains to the
 * table. May block on the files. */
void options_load_tls(
	struct options *options, struct table *table, const struct hubbub_service *service);

#endif

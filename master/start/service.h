/* Checks the record by which a program describes itself to hubbub_main. */
#ifndef HUBBUB_START_SERVICE_H
#define HUBBUB_START_SERVICE_H

#include <stddef.h>

#include "master/server.h"

/* Returns the service's listener of that name; NULL if it has none. */
const struct hubbub_listener *service_listener(
	const struct hubbub_service *service, const char *name);

/* Adds to the catalog what is counted of the service's own: its metrics, which must be sound, and
 * its listeners. If none of these has a name, the totals are the one listener's, and none is
 * added. */
void service_count(const struct hubbub_service *service);

#define SERVICE_NAME_MAX 64 /* bytes: the name is part of the control socket's path */

/* Returns a sentence that names the faulty field of the service, or NULL if it is sound. Of its
 * options only places and room are checked; table_is_sound checks the rest. Static until the next
 * call. */
const char *service_fault(const struct hubbub_service *service);

#endif

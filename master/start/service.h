/* The record by which a program describes itself to hubbub_main, looked at before it is used. */
#ifndef HUBBUB_START_SERVICE_H
#define HUBBUB_START_SERVICE_H

#include <stddef.h>

#include "master/server.h"

#define SERVICE_NAME_MAX 64 /* it is part of the control socket's path */

/* What is wrong with the service, a mistake of who wrote it, in a sentence that names the field;
 * NULL if nothing is. Its options are the table's to judge. Static until the next call. */
const char *service_fault(const struct hubbub_service *service);

#endif

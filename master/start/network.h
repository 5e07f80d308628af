/* Networks as operators write them: 10.0.0.0/8, 2001:db8::/32, or one address. */
#ifndef HUBBUB_START_NETWORK_H
#define HUBBUB_START_NETWORK_H

#include <stdbool.h>

#include "worker/heritage.h"

/* Reads a network. Returns false if text is not one; *network is then undefined. */
bool network_parse(const char *text, struct worker_network *network);

#endif

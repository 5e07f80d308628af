#ifndef HUBBUB_DEFER_PRIV_H
#define HUBBUB_DEFER_PRIV_H

#include "hub/defer.h"

struct cleanup;

/* Does and frees everything; *cleanup is NULL afterwards. */
void cleanup_run(struct cleanup **cleanup);

#endif

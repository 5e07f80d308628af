/* The end of what a coroutine has deferred and allocated (defer.h). */
#ifndef HUBBUB_DEFER_PRIV_H
#define HUBBUB_DEFER_PRIV_H

#include "hub/defer.h"

struct cleanup;

/* Makes all deferred calls and frees the coroutine's memory; *cleanup is NULL afterwards. */
void cleanup_run(struct cleanup **cleanup);

#endif

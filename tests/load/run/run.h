/* Runs a load: generator processes are forked, watched and measured by their parent, which sends
 * and receives nothing itself. */
#ifndef HUBBUB_LOAD_RUN_H
#define HUBBUB_LOAD_RUN_H

#include "tests/load/show/result.h"
#include "tests/load/show/watcher.h"

/* Installs handlers of SIGINT and SIGTERM, for the rest of the process: the first signal ends the
 * run early, the second ends the process. Ignores SIGPIPE. */
void run_handle_signals(void);

/* Runs the load --repeat times and judges the result, which the caller frees. watcher may be NULL.
 * Returns NULL if there is no memory; other failures are in the result. */
struct result *run_load(const struct load *load, const struct watcher *watcher);

#endif

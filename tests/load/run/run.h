/* Running a load: generator processes are forked, watched and measured by their parent, which sends
 * and receives nothing itself. */
#ifndef HUBBUB_LOAD_RUN_H
#define HUBBUB_LOAD_RUN_H

#include "tests/load/show/result.h"
#include "tests/load/show/watcher.h"

/* Handles SIGINT and SIGTERM from now on: the first one ends the run early, the second the
 * process. */
void run_handle_signals(void);

/* Runs the load as often as it says and judges the result, which the caller frees. NULL if there is
 * no memory. */
struct result *run_load(const struct load *load, const struct watcher *watcher);

#endif

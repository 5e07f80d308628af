/* The worker's standard output and error as a pipe to the master (master/say/capture), and its log,
 * which is what standard error was before. */
#ifndef HUBBUB_WORKER_CAPTURED_H
#define HUBBUB_WORKER_CAPTURED_H

#include <stdbool.h>

/* Makes the pipe standard output and standard error, and closes it; the process's log goes on where
 * it went. Standard output is flushed at the end of each line from now on. Before threads start.
 * Returns 0, or -1 with errno and nothing changed. */
int captured_begin(int pipe);

/* The master is dead, and nobody reads the pipe: what still is the pipe of standard output and
 * error goes where the log goes. Does nothing if they were not captured. */
void captured_end(void);

/* The file descriptor of the log. */
int captured_log(void);

/* The log goes to that file from now on, whose descriptor stays the caller's. Returns false if it
 * goes on as before. */
bool captured_reopen(int file);

#endif

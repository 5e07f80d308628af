/* A crowd: many coroutines of one thread that all do the same with a library which blocks. */
#ifndef HUBBUB_TESTS_CROWD_H
#define HUBBUB_TESTS_CROWD_H

#include <stdbool.h>

/* What each does, with the port of the server. Returns whether all was right. */
typedef bool crowd_fn(int port, int index);

/* PROGRAM PORT COUNT [unpatched]: prints "N of COUNT right, at most M at a time, in S s". Returns
 * the exit code: 0 if all were right. */
int crowd_main(int argc, char **argv, crowd_fn *work);

#endif

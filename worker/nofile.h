/* How to raise the limit on open files, which depends on the limit that bites: a process may open
 * as many as ulimit -n or a unit's LimitNOFILE= say, neither of which can exceed fs.nr_open; all
 * processes together may open as many as fs.file-max says. */
#ifndef HUBBUB_WORKER_NOFILE_H
#define HUBBUB_WORKER_NOFILE_H

#include <stdint.h>

#define NOFILE_ADVICE_SIZE 128 /* bytes of an advice, with its NUL */

/* The largest possible limit of a process, fs.nr_open; 0 if it cannot be read and never could. The
 * value is remembered for when files have run out. Any thread. */
uint64_t nofile_most(void);

/* What to raise so that this process may open wanted files; 0 for one more than its limit. The text
 * follows the word "raise" in a message. Returns text. Any thread. */
const char *nofile_advice(char text[static NOFILE_ADVICE_SIZE], uint64_t wanted);

/* nofile_advice for one file more, in memory that lasts as long as the calling block. */
#define nofile_advice_here() nofile_advice((char[NOFILE_ADVICE_SIZE]){0}, 0)

/* nofile_advice for one file more after error EMFILE; after ENFILE the limit of all processes. */
const char *nofile_advice_of(char text[static NOFILE_ADVICE_SIZE], int error);

#endif

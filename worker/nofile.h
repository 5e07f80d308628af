/* How the limit on open files is raised: what the one is that bites. A process may have as many as
 * ulimit -n or a unit's LimitNOFILE= say, of which neither goes beyond fs.nr_open; all processes
 * together as many as fs.file-max. */
#ifndef HUBBUB_WORKER_NOFILE_H
#define HUBBUB_WORKER_NOFILE_H

#include <stdint.h>

#define NOFILE_ADVICE_SIZE 128 /* of a text */

/* The most that a limit can be, fs.nr_open; 0 if that cannot be read. It is remembered for when
 * files have run out. Any thread. */
uint64_t nofile_most(void);

/* What is to be raised for so many files of this process, 0: for one more than its limit; goes
 * behind "raise". Returns text. Any thread. */
const char *nofile_advice(char text[static NOFILE_ADVICE_SIZE], uint64_t wanted);

/* The same for one more, as long as the calling block lasts. */
#define nofile_advice_here() nofile_advice((char[NOFILE_ADVICE_SIZE]){0}, 0)

/* The same after that errno: of ENFILE it is the limit of all processes. */
const char *nofile_advice_of(char text[static NOFILE_ADVICE_SIZE], int error);

#endif

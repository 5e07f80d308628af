/* The next program that is started has a master that is interrupted in an upgrade: interrupt.c. */
#ifndef HUBBUB_TESTS_INTERRUPTION_H
#define HUBBUB_TESTS_INTERRUPTION_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether masters can be interrupted in this build. */
bool interruption_is_possible(void);

/* From now until interruption_end, programs are started so: at "before GO kill"; the pid of the one
 * that was interrupted goes to that file. */
void interruption_begin(const char *when, const char *file);
void interruption_end(void);

/* The pid in a file; 0 without one. */
pid_t interruption_pid(const char *file);

#endif

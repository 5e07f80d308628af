/* Starting a server of which a master is interrupted in an upgrade, by interrupt.c. */
#ifndef HUBBUB_TESTS_INTERRUPTION_H
#define HUBBUB_TESTS_INTERRUPTION_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether masters can be interrupted in this build. */
bool interruption_is_possible(void);

/* Until interruption_end, programs that are started are interrupted at a place such as "before GO
 * kill"; the pid of the interrupted process goes to the file. */
void interruption_begin(const char *when, const char *file);
void interruption_end(void);

/* The pid in the file; 0 if there is none. */
pid_t interruption_pid(const char *file);

#endif

/* Which program this is, by the name that it was started by: an upgrade starts what that name means
 * then, also where a link on its way (current -> 2) has been turned since. */
#ifndef HUBBUB_START_PROGRAM_H
#define HUBBUB_START_PROGRAM_H

#include <stdbool.h>

/* Remembers the name that execve got, absolute, its symbolic links as they are. A name that is not
 * this program's (a script's, an open file's) does not count: then it is where the kernel says that
 * the program lies. To be called at the start, before the name may mean another one. */
void program_remember(void);

/* The same for any name; program_remember passes it what execve got. */
void program_remember_as(const char *name);

/* The path; empty if there is none. */
const char *program_remembered(void);

/* Whether there is a program now that this process may execute; if not, *why, valid until the next
 * call. */
bool program_is_there(const char **why);

#endif

/* The path of this program. An upgrade executes the path by which the server was started, and so
 * the new release, even if a symbolic link on that path (current -> 2) has been changed since. */
#ifndef HUBBUB_START_PROGRAM_H
#define HUBBUB_START_PROGRAM_H

#include <stdbool.h>

/* Remembers the path that execve got, made absolute, with its symbolic links. If that is not this
 * program's path (a script's, or one in /proc or /dev/fd), remembers the path that the kernel
 * reports. Call it at the start of the process, before the path can mean another file. */
void program_remember(void);

/* Does the same for any name, which may be NULL; program_remember passes what execve got. */
void program_remember_as(const char *name);

/* Returns the remembered path; "" if it is unknown. Static. */
const char *program_remembered(void);

/* Whether the path names a file that this process may execute now. If not, *why gets the reason,
 * valid until the next call. */
bool program_is_there(const char **why);

#endif

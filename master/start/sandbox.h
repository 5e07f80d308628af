/* System calls that a sandbox or another kernel may refuse: asked for once, before anything is
 * opened, so that one line says what is missing, and not the tenth worker that fails. What each
 * costs stands in deploy/guide/kernels.md, too. */
#ifndef HUBBUB_START_SANDBOX_H
#define HUBBUB_START_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* Logs what is refused, and what that costs. Returns 0, or -1 if the server cannot do without. */
int sandbox_check(void);

/* Whether that is how a call fails that is refused, whatever it was asked for. */
bool sandbox_is_refusal(int error);

/* Whether this process can open pidfds; by a look. */
bool sandbox_has_pidfds(void);

/* Closes all descriptors from first to last, whether open or not. Returns 0, or -1 with errno. */
int sandbox_close_range(unsigned first, unsigned last);

/* Sends a signal to a process by its pidfd; where that is -1, or such signals are refused, by its
 * pid, which is to be that of a child that has not been reaped, or of one that lives by what the
 * pidfd says. Returns 0, or -1 with errno. */
int sandbox_kill(pid_t pid, int pidfd, int signal);

#endif

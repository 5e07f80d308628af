/* System calls that a sandbox or an old kernel may refuse. They are tried once, before anything is
 * opened, so that one line of the log names the missing call at once, and not a failing worker
 * later. deploy/guide/kernels.md also lists what each refusal costs. */
#ifndef HUBBUB_START_SANDBOX_H
#define HUBBUB_START_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* Tries each call, and logs each that is refused, and what that costs. Returns 0, or -1 if the
 * server cannot do without one of them. */
int sandbox_check(void);

/* Whether a call that failed with that errno was refused as such: EPERM, EACCES or ENOSYS. */
bool sandbox_is_refusal(int error);

/* Whether this process can open pidfds; tries at each call. */
bool sandbox_has_pidfds(void);

/* Closes all file descriptors from first to last; falls back to /proc and to single calls if
 * close_range is refused. Returns 0, or -1 with errno. */
int sandbox_close_range(unsigned first, unsigned last);

/* Sends a signal to a process by its pidfd; by its pid if pidfd is -1, or if pidfd_send_signal is
 * refused. The pid must not be reused meanwhile: the process is a child that is not reaped yet, or
 * its pidfd tells that it lives. Returns 0, or -1 with errno, ESRCH if it has ended. */
int sandbox_kill(pid_t pid, int pidfd, int signal);

#endif

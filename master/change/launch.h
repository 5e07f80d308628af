/* Launching: starts the new master as a grandchild, so that it can become the service manager's own
 * child while the old master lives.
 *
 * Between the two masters stands the launcher, a fork of the old master. The launcher ends as the
 * grandchild ends, so its exit status tells how the grandchild ended. When the leash is closed,
 * because the old master lets go or dies, the launcher exits at once, and the kernel gives the
 * grandchild to the reaper of orphans: the service manager, or init. */
#ifndef HUBBUB_CHANGE_LAUNCH_H
#define HUBBUB_CHANGE_LAUNCH_H

#include <sys/types.h>

/* Forks twice. The grandchild runs become with all signals blocked; become must execute a program
 * or exit. *leash gets a file descriptor, the caller's: launch_born reads the grandchild's pid from
 * it, and closing it ends the launcher. Returns the launcher's pid, or -1 with errno. */
pid_t launch(void (*become)(void *context), void *context, int *leash);

/* Receives the grandchild's pid from the leash, without waiting. *pidfd gets its pidfd, the
 * caller's, or -1 if this process has no fd left. Returns the pid; 0 if it has not come yet; or -1
 * if it never will. */
pid_t launch_born(int leash, int *pidfd);

#endif

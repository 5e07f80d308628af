/* Launching the next master as a grandchild, so that it becomes the service manager's own child
 * while this one lives.
 *
 * In between is the launcher, a fork of this process, which ends as the grandchild does, so that
 * its exit status tells what became of that. Once it is let go of, or this process dies, it leaves
 * at once, and the grandchild becomes the child of whoever reaps orphans. */
#ifndef HUBBUB_CHANGE_LAUNCH_H
#define HUBBUB_CHANGE_LAUNCH_H

#include <sys/types.h>

/* Forks twice; the grandchild runs become, which must not return (it executes or exits), with all
 * signals blocked. *leash gets a descriptor: the grandchild's pid can be received from it once it
 * exists, and closing it lets the launcher go. Returns the launcher's pid, or -1 with errno. */
pid_t launch(void (*become)(void *context), void *context, int *leash);

/* Receives the grandchild's pid from the leash; *pidfd becomes the caller's, -1 if there are no
 * more files.
 * Returns it; 0 if it is not there yet; or -1 if there is none. */
pid_t launch_born(int leash, int *pidfd);

#endif

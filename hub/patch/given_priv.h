/* Whether others have, or may have, what a descriptor means: a child, or whoever it was sent to. */
#ifndef HUBBUB_PATCH_GIVEN_PRIV_H
#define HUBBUB_PATCH_GIVEN_PRIV_H

#include <stdbool.h>

/* Others have, or may have, all that is open: before they get it, and after. Also what fork(2)
 * does; and in a child of vfork, of its parent's. */
void given_note(void);

/* How often that was. */
unsigned given_count(void);

/* A number that socket(2) has just made, after that count; one that is closed, or has a
 * duplicate. */
void given_made(int fd, unsigned count);
void given_forget(int fd);

/* Whether the open file is known to be this process's and that number's alone: what socket(2) has
 * made here, if nothing was given to others since. Of what is given without libc's fork,
 * posix_spawn and, on a coroutine, sendmsg, nobody knows. */
bool given_to_nobody(int fd);

#endif

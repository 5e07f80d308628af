/* File locks that are waited for. */
#ifndef HUBBUB_PATCH_FILELOCK_PRIV_H
#define HUBBUB_PATCH_FILELOCK_PRIV_H

/* fcntl(2) with F_SETLKW or F_OFD_SETLKW, on a coroutine: waits for the lock. Returns 0, keeping
 * errno, or -1 with errno. */
int filelock_wait(int fd, int command, void *lock);

#endif

#ifndef HUBBUB_PATCH_FILELOCK_PRIV_H
#define HUBBUB_PATCH_FILELOCK_PRIV_H

/* fcntl(2) with F_SETLKW or F_OFD_SETLKW, on a coroutine. A success keeps errno. */
int filelock_wait(int fd, int command, void *lock);

#endif

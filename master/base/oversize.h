/* A file that would grow beyond the limit on file size (ulimit -f, LimitFSIZE=). By default the
 * kernel kills whoever writes, without a word. */
#ifndef HUBBUB_MASTER_BASE_OVERSIZE_H
#define HUBBUB_MASTER_BASE_OVERSIZE_H

/* From now on such a write fails in this process, and in its forks, with EFBIG. Programs that are
 * started have the kernel's default, however they are started: a handler does not outlive an
 * exec, as SIG_IGN does. Keeps what the program has set itself. */
void oversize_survive(void);

/* What to do about a system call that failed with that errno: " (raise ...)", or "" where the limit
 * on file size was not the reason. */
const char *oversize_advice(int error);

#endif

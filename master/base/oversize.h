/* Files that would grow beyond the limit on file size (ulimit -f, LimitFSIZE=). By default the
 * kernel kills the process that writes, by SIGXFSZ, and nothing is logged. */
#ifndef HUBBUB_MASTER_BASE_OVERSIZE_H
#define HUBBUB_MASTER_BASE_OVERSIZE_H

/* From now on such a write fails with EFBIG, in this process and in its forks. Programs that they
 * exec get the kernel's default again. Does nothing if the program handles or ignores SIGXFSZ
 * itself. */
void oversize_survive(void);

/* Returns the advice for a system call that failed with that errno: " (raise ...)" for EFBIG, ""
 * for all others. Static. */
const char *oversize_advice(int error);

#endif

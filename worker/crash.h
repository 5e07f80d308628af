/* What a thread that dies of a signal leaves in shared memory, for the master to log: the signal,
 * the coroutine that ran, and the addresses of its backtrace. */
#ifndef HUBBUB_WORKER_CRASH_H
#define HUBBUB_WORKER_CRASH_H

#include "worker/segment.h"

/* Installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, which record the crash and
 * then let the former action happen. Called before any hub starts. row is for threads that have not
 * called crash_use_row. Child processes that are forked later record nothing. */
void crash_install(struct worker_row *row);

/* Records crashes of the calling thread in row. */
void crash_use_row(struct worker_row *row);

#endif

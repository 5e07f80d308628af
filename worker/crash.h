/* What a thread that dies of a signal leaves in shared memory for the master to log: the signal,
 * the coroutine that ran, and the addresses of its backtrace. */
#ifndef HUBBUB_WORKER_CRASH_H
#define HUBBUB_WORKER_CRASH_H

#include "worker/segment.h"

/* Installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, which record and then let the
 * former action happen; before any hub starts. Threads that named no row use this one. */
void crash_install(struct worker_row *row);

/* The calling thread's row. */
void crash_use_row(struct worker_row *row);

#endif

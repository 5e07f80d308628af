/* Threads that are made as coroutines. */
#ifndef HUBBUB_PATCH_CREATE_PRIV_H
#define HUBBUB_PATCH_CREATE_PRIV_H

#include "hub/patch/thread_priv.h"

/* The main thread has called pthread_exit: the process ends with the last thread, which may be
 * now. */
void create_main_exits(void);

#endif

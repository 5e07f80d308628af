/* Creating threads that are coroutines, and when the process ends with them. */
#ifndef HUBBUB_PATCH_CREATE_PRIV_H
#define HUBBUB_PATCH_CREATE_PRIV_H

#include "hub/patch/thread_priv.h"

/* The main thread has called pthread_exit: from now on the process ends with the last thread that
 * is a coroutine. Does not return if none lives, but some once did. */
void create_main_exits(void);

#endif

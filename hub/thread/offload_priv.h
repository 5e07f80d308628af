#ifndef HUBBUB_THREAD_OFFLOAD_PRIV_H
#define HUBBUB_THREAD_OFFLOAD_PRIV_H

#include "hub/thread/offload.h"

/* In a child process. */
void offload_reset(void);

#endif

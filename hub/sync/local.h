/* Coroutine-local values are declared in hub/local.h; this header is for programs that include it
 * by its older name. */
#ifndef HUBBUB_SYNC_LOCAL_H
#define HUBBUB_SYNC_LOCAL_H

#include "../local.h"

#endif

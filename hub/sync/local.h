/* Coroutine-local values are declared in local.h; this name of it stays for programs that include
 * it. */
#ifndef HUBBUB_SYNC_LOCAL_H
#define HUBBUB_SYNC_LOCAL_H

#include "../local.h"

#endif

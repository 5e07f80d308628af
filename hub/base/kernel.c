/* The door to the kernel has no state but this: how often the thread has begun a bypass and not
 * ended it. */
#include "hub/base/kernel.h"

_Thread_local unsigned hub_bypasses;

#include "hub/base/kernel.h"

_Thread_local unsigned hub_bypasses;

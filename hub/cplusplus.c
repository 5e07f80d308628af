/* What stands before the C++ runtime, by the names of its ABI; what it does is told in
 * exceptions_priv.h and statics_priv.h. As with before.c, each library has it that may be the only
 * one; libhubbub-patch, too, since what is preloaded comes before the runtime, and what that needs
 * does not. */
#include "hub/exceptions_priv.h"
#include "hub/statics_priv.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT struct exceptions *__cxa_get_globals(void);
EXPORT struct exceptions *__cxa_get_globals_fast(void);
EXPORT int __cxa_guard_acquire(int *guard);
EXPORT void __cxa_guard_release(int *guard);
EXPORT void __cxa_guard_abort(int *guard);

struct exceptions *
__cxa_get_globals(void)
{
	return exceptions_here();
}

struct exceptions *
__cxa_get_globals_fast(void)
{
	return exceptions_here();
}

int
__cxa_guard_acquire(int *guard)
{
	return statics_acquire(guard);
}

void
__cxa_guard_release(int *guard)
{
	statics_release(guard);
}

void
__cxa_guard_abort(int *guard)
{
	statics_abandon(guard);
}

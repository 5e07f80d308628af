/* The C++ runtime's calls for exceptions and for static variables of functions, under the names of
 * its ABI; exceptions_priv.h and statics_priv.h say what they change. As with before.c, each
 * library that may be linked alone contains this file; libhubbub-patch does, too: a preloaded
 * library comes before the C++ runtime in link order, the library that it depends on does not. */
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

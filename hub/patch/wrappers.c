/* The functions that stand before the C library's: made of the table, all in the same way. */
#include <errno.h>

#include "hub/patch/patch_priv.h"
#include "hub/patch/report_priv.h"

/* Some are declared nowhere, and aliases differ from what they stand for in attributes that mean
 * nothing here. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmissing-attributes"
/* Of pthread_setspecific's value, which libc declares never to be looked at. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/* Libc's own; in a hub's thread, if a report was asked for, with an eye on the clock. */
#define PASS(result, name, arguments)                                                              \
	do {                                                                                       \
		int64_t began;                                                                     \
                                                                                                   \
		if (__builtin_expect(!(atomic_load_explicit(&patch_active, memory_order_relaxed) & \
					     PATCH_REPORTED) ||                                    \
					     (began = report_begin()) == 0,                        \
			    1))                                                                    \
			return REAL(name) arguments;                                               \
		result returned = REAL(name) arguments;                                            \
		report_end(CALL_##name, began);                                                    \
		return returned;                                                                   \
	} while (0)

static inline bool
is_below_zero(intptr_t returned)
{
	return returned < 0;
}

static inline bool
is_null(intptr_t returned)
{
	return returned == 0;
}

/* Whether errno means something. A call that succeeds leaves it as it was, as libc's do, whatever
 * was tried for it: programs look at errno that do not look at the result. */
/* clang-format off */
#define HAS_FAILED(returned)                                                                       \
	_Generic((returned),                                                                       \
		int: is_below_zero, unsigned: is_below_zero, ssize_t: is_below_zero,               \
		default: is_null)((intptr_t)(returned))
/* clang-format on */

#define WAITS(family, result, name, parameters, arguments)                                         \
	if (patch_suspends(HUB_PATCH_##family)) {                                                  \
		int before = errno;                                                                \
		result returned =                                                                  \
			(patch_caller = __builtin_return_address(0), patch_##name arguments);      \
                                                                                                   \
		if (__builtin_expect(errno == ECANCELED, 0))                                       \
			patch_canceled(HUB_PATCH_##family);                                        \
		if (!HAS_FAILED(returned))                                                         \
			errno = before;                                                            \
		return returned;                                                                   \
	}                                                                                          \
	PASS(result, name, arguments);
#define NOTES(family, result, name, parameters, arguments) return patch_##name arguments;
#define BLOCKS(family, result, name, parameters, arguments) PASS(result, name, arguments);

#define WRAPPER(kind, family, result, name, parameters, arguments)                                 \
	PATCH_EXPORT result name parameters                                                        \
	{                                                                                          \
		kind(family, result, name, parameters, arguments)                                  \
	}
PATCH_CALLS(WRAPPER)

#define ALIAS(other, name) extern __typeof__(name) other __attribute__((alias(#name))) PATCH_EXPORT;
PATCH_ALIASES(ALIAS)

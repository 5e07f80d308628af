/* The functions that stand before libc's, generated from the table of calls. Each decides by
 * patch_suspends between the cooperative form and libc's own function; a call that succeeds leaves
 * errno as it was. */
#include <errno.h>

#include "hub/patch/patch_priv.h"
#include "hub/patch/report_priv.h"

/* Some of these functions are declared in no header, and aliases differ from their functions in
 * attributes that mean nothing here. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmissing-attributes"
/* For the value given to pthread_setspecific, which libc declares to be never read. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/* Calls libc's own function; timed, if a report was asked for and the thread runs a hub. */
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

/* Whether the call has failed, so that errno has a meaning. After a success errno is put back, as
 * libc's functions leave it alone, though attempts within the call may have set it: some programs
 * look at errno without looking at the result. */
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

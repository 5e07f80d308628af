/* What the C++ runtime calls by its own names is ours. C++ programs: tests/deploy/libraries. */
#include <criterion/criterion.h>
#include <stdint.h>

#include "hub/exceptions_priv.h"

extern struct exceptions *__cxa_get_globals(void);
extern struct exceptions *__cxa_get_globals_fast(void);
extern int __cxa_guard_acquire(int64_t *guard);
extern void __cxa_guard_release(int64_t *guard);
extern void __cxa_guard_abort(int64_t *guard);

Test(cplusplus, the_runtime_is_given_our_exceptions)
{
	cr_assert_eq(__cxa_get_globals(), exceptions_here());
	cr_assert_eq(__cxa_get_globals_fast(), exceptions_here());
}

Test(cplusplus, guards_are_those_of_the_abi)
{
	int64_t guard = 0;

	cr_assert_eq(__cxa_guard_acquire(&guard), 1);
	cr_assert_eq((char)guard, 0);
	__cxa_guard_abort(&guard);
	cr_assert_eq(__cxa_guard_acquire(&guard), 1);
	__cxa_guard_release(&guard);
	cr_assert_eq((char)guard, 1);
	cr_assert_eq(__cxa_guard_acquire(&guard), 0);
}

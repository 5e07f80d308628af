/* Checks: a broken invariant ends the process where it is found, before it becomes silent damage. A
 * check has no side effect, so that removing it would not change the program. What a user or the
 * environment can cause is an error to return, not a check.
 *
 * A CHECK stays on in production: it stands where nobody measures it. A DCHECK is compiled with
 * HUBBUB_DCHECKS, as the builds with sanitizers are: it may stand at each switch, wait and wake,
 * and may look through a whole list. */
#ifndef HUBBUB_BASE_CHECK_H
#define HUBBUB_BASE_CHECK_H

#include "hub/base/inside.h"

/* Prints "hubbub: <where>: <what> (<why>)" to stderr and aborts. Never returns. */
_Noreturn void check_failed(const char *file, int line, const char *what, const char *why)
	HUB_INSIDE(check_failed);

/* Aborts unless condition holds. said is its text, taken by the outermost macro: an inner one would
 * see the condition with its macros expanded. */
#define CHECK_SAID(condition, said, why)                                                           \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			check_failed(__FILE__, __LINE__, said, why);                               \
	} while (0)

/* why tells the reader of the message what the caller did wrong. */
#define CHECK_WHY(condition, why) CHECK_SAID(condition, #condition, why)

#define CHECK(condition) CHECK_SAID(condition, #condition, "a bug in hubbub")

#ifdef HUBBUB_DCHECKS
#define DCHECK(condition) CHECK_SAID(condition, #condition, "a bug in hubbub")
#else
/* Compiled, so that it stays correct, and never evaluated. Not by sizeof, in which clang sees no
 * use of a static function. */
#define DCHECK(condition) ((void)(0 && (condition)))
#endif

#endif

/* Coroutines in tests of Criterion. A failing cr_assert jumps to the test's own stack, so a
 * coroutine must never assert: it records its findings in a struct, and the test's body asserts
 * after in_hub has returned. */
#ifndef HUBBUB_TESTS_IN_HUB_H
#define HUBBUB_TESTS_IN_HUB_H

#include <criterion/criterion.h>
#include <hubbub/hub.h>

#include "tests/support/descriptors.h"

/* Runs body(record) as the first coroutine of a hub in this thread. Asserts, in the test's body,
 * that the hub ran, and that it left no file descriptor open. */
void in_hub(hub_fn *body, void *record);

/* For a coroutine: lets others run until the given one, which must not be detached, waits, and the
 * loop has polled for it; or until it has ended, or half a minute has passed. A sleep alone is not
 * enough: a spawned coroutine may start late, and yields once more when its time slice is used
 * up. */
void until_it_waits(const struct hub_coroutine *coroutine);

/* Whether the hub runs in a simulated world (tests/sim). */
bool in_world(void);

/* Whether the test runs on valgrind, which reads memory that the program must not, and limits the
 * number of stacks. */
bool on_valgrind(void);

#endif

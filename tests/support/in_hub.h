/* Criterion and coroutines: a failing cr_assert jumps to the test's own stack, so a coroutine must
 * never assert. It records into a struct; the test body asserts after in_hub has returned. */
#ifndef HUBBUB_TESTS_IN_HUB_H
#define HUBBUB_TESTS_IN_HUB_H

#include <criterion/criterion.h>
#include <hubbub/hub.h>

#include "tests/support/descriptors.h"

/* Runs body(record) as the first coroutine of a hub in this thread. Asserts, in the test body, that
 * the hub ran and that as many descriptors are open after it as before. */
void in_hub(hub_fn *body, void *record);

/* On a coroutine: lets the others run until that one, which must not be detached, waits and the
 * loop has polled for it; or it has ended, or half a minute has passed. A sleep alone does not do:
 * what is spawned may be slow to begin, and gives way once more where its slice is used up. */
void until_it_waits(const struct hub_coroutine *coroutine);

/* Whether valgrind runs this test: it reads what the program must not, and counts its stacks. */
bool on_valgrind(void);

#endif

/* Sleeping, only where time that passes is the subject of the test: a client's pause, a random
 * moment of a kill. To wait for a condition use wait_until. */
#ifndef HUBBUB_TESTS_SUPPORT_NAP_H
#define HUBBUB_TESTS_SUPPORT_NAP_H

/* Sleeps for so many seconds, not at all if the number is 0 or negative; signals do not shorten it.
 * Blocks the thread. */
void nap(double seconds);

#endif

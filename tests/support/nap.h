/* Time that passes, in tests of what it does: a pause of a client, a random moment of a kill. What
 * is waited for is watched instead (wait_until). */
#ifndef HUBBUB_TESTS_SUPPORT_NAP_H
#define HUBBUB_TESTS_SUPPORT_NAP_H

/* So many seconds, none if that is not above 0; signals do not shorten them. */
void nap(double seconds);

#endif

/* Detects leaks of file descriptors. */
#ifndef HUBBUB_TESTS_DESCRIPTORS_H
#define HUBBUB_TESTS_DESCRIPTORS_H

/* The number of open file descriptors of this process plus a constant: compare the results of two
 * calls. */
int open_descriptors(void);

/* Runs a hub, in which libunwind makes a backtrace: at the first one, which the watchdog may ask
 * for at any time, it opens two descriptors that it keeps. Before the first count. */
void descriptors_settle(void);

#endif

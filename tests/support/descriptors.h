/* Detects leaks of file descriptors. */
#ifndef HUBBUB_TESTS_DESCRIPTORS_H
#define HUBBUB_TESTS_DESCRIPTORS_H

/* The number of open file descriptors of this process plus a constant: compare the results of two
 * calls. */
int open_descriptors(void);

#endif

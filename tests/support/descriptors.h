/* The descriptors that this process has open. */
#ifndef HUBBUB_TESTS_DESCRIPTORS_H
#define HUBBUB_TESTS_DESCRIPTORS_H

/* How many there are; a few more, but always as many, since it opens one to look. */
int open_descriptors(void);

#endif

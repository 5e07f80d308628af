/* A process that lacks descriptors for a moment. */
#ifndef HUBBUB_TESTS_SHORTAGE_H
#define HUBBUB_TESTS_SHORTAGE_H

/* From here on no descriptor can be made, until another thread allows it again after 50 ms: the
 * calling thread may sleep meanwhile where nothing else can run. */
void shortage_begin(void);

/* Waits until it is over. */
void shortage_end(void);

#endif

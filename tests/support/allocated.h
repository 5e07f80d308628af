/* What the allocator has given out. */
#ifndef HUBBUB_TESTS_ALLOCATED_H
#define HUBBUB_TESTS_ALLOCATED_H

/* Bytes that this thread has allocated, less those that it has freed; -1 where the allocator does
 * not tell. */
long allocated_bytes(void);

#endif

/* How much memory the calling thread holds, by the allocator's own count. */
#ifndef HUBBUB_TESTS_ALLOCATED_H
#define HUBBUB_TESTS_ALLOCATED_H

/* Bytes that this thread has allocated, less those that it has freed; -1 if the allocator keeps no
 * such count. */
long allocated_bytes(void);

#endif

/* The generation of a file descriptor: how often libc's calls have closed or opened it. A call that
 * has waited compares generations, to find that its fd has come to mean another file. */
#ifndef HUBBUB_PATCH_GENERATION_PRIV_H
#define HUBBUB_PATCH_GENERATION_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* File descriptors from this one on are not counted. */
#define GENERATION_NUMBERS (1 << 20)

/* The fd's generation; 0 if it is not counted. An answer that differs from an earlier one means
 * that some thread has closed or opened the fd since. Any thread. */
uint32_t generation_of(int fd);

/* Whether generation_of was ever called: before that, nothing compares generations, and they need
 * not be counted. */
bool generation_is_asked(void);

/* The fd is closed, or has just been opened: begins its next generation, and returns it. */
uint32_t generation_next(int fd);

#endif

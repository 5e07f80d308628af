/* A library that stands between hub/patch and libc: what happens right before a call of libc's. */
#ifndef HUBBUB_TESTS_PATCH_BETWEEN_H
#define HUBBUB_TESTS_PATCH_BETWEEN_H

/* Called before flock(2), lockf(3) and fcntl(2) of a number, unless NULL. */
extern void (*between)(int fd);

#endif

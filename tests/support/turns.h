/* The turns of a background function of which a server has one: the program `turns` writes the pid
 * of its process to a file, a line every few milliseconds. */
#ifndef HUBBUB_TESTS_TURNS_H
#define HUBBUB_TESTS_TURNS_H

#include <stdbool.h>
#include <sys/types.h>

/* The process that had the last turn; 0 before the first one. */
pid_t turns_last(const char *path);

/* How many turns there were. */
unsigned turns_count(const char *path);

/* Whether all turns of each process follow one another: two functions that run at once take
 * turns. */
bool turns_are_alone(const char *path);

#endif

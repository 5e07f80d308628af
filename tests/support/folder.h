/* A folder for one test. */
#ifndef HUBBUB_TESTS_FOLDER_H
#define HUBBUB_TESTS_FOLDER_H

#include <stdbool.h>

#define FOLDER_SIZE 64

/* Makes an empty one under /tmp. Returns whether it did. */
bool folder_make(char path[static FOLDER_SIZE]);

/* Removes it with all that is in it. An empty path is ignored. */
void folder_remove(char path[static FOLDER_SIZE]);

#endif

/* A temporary directory for a test. */
#ifndef HUBBUB_TESTS_FOLDER_H
#define HUBBUB_TESTS_FOLDER_H

#include <stdbool.h>

#define FOLDER_SIZE 64

/* Makes an empty directory under /tmp. Returns whether it did; if not, path is empty. */
bool folder_make(char path[static FOLDER_SIZE]);

/* Removes the directory with all its contents. An empty path is ignored. */
void folder_remove(char path[static FOLDER_SIZE]);

#endif

/* Files that the programs of hubbub-load write, "-" being the standard output. Each error is said
 * with the file's name, on standard error. */
#ifndef HUBBUB_LOAD_OUTFILE_H
#define HUBBUB_LOAD_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

/* Opens one anew. NULL after a message. */
FILE *outfile_open(const char *path);

/* Closes it, or flushes the standard output. Returns whether all that was written is there; if not,
 * there was a message. */
bool outfile_end(FILE *stream, const char *path);

#endif

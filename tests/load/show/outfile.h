/* Files that hubbub-load's commands write; a path of "-" is stdout. Each error is reported on
 * stderr, with the file's name. */
#ifndef HUBBUB_LOAD_OUTFILE_H
#define HUBBUB_LOAD_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

/* Opens the file at path, emptied. Returns NULL after a message. */
FILE *outfile_open(const char *path);

/* Closes the stream, or flushes it if it is stdout. Returns false after a message if any byte could
 * not be written. */
bool outfile_end(FILE *stream, const char *path);

#endif

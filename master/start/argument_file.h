/* The text of an @FILE. The master reads it again on a reload, and the file may be anything by
 * then: reading it neither blocks for long nor uses much memory. */
#ifndef HUBBUB_START_ARGUMENT_FILE_H
#define HUBBUB_START_ARGUMENT_FILE_H

#define ARGUMENT_FILE_MAX (1024 * 1024)

/* Reads a whole file, or a pipe to its end. May block for two seconds. Returns the text, ended by
 * NUL, which the caller frees, or NULL with a static phrase in *why, such as strerror's: the file
 * cannot be read, is too long, contains a NUL, has changed meanwhile, or memory ran out. */
char *argument_file_read(const char *path, const char **why);

#endif

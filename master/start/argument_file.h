/* The text of an @FILE, which may be anything: the master reads it again on a reload, and must
 * neither wait for it for long nor run out of memory. */
#ifndef HUBBUB_START_ARGUMENT_FILE_H
#define HUBBUB_START_ARGUMENT_FILE_H

#define ARGUMENT_FILE_MAX (1024 * 1024)

/* Reads a file, or a pipe to its end, whole. Returns its text, which the caller frees, or NULL with
 * a phrase for the user in *why, as strerror's. */
char *argument_file_read(const char *path, const char **why);

#endif

/* What programs print. Standard output may be closed, or its disk full: a program that prints may
 * exit with 0 only if all of it was written. */
#ifndef HUBBUB_MASTER_BASE_OUTPUT_H
#define HUBBUB_MASTER_BASE_OUTPUT_H

/* Prints an error on standard error as "PROGRAM: text". If standard error is systemd's journal,
 * which knows the program's name, each line of the text gets the journal's prefix for an error
 * instead; if lines of the log are objects, the whole text is the message of one. */
void output_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes standard output. Returns an exit code: 0, or 1 if anything printed since the start was
 * lost. The first failure prints an error on standard error, unless the reader closed its pipe. */
int output_end(void);

/* For programs that print: opens a file for each standard descriptor that is closed, so that no
 * socket gets its number and is printed to; and at exit changes the exit code to 1 if output was
 * lost. Call it once, first thing in main. */
void output_guard(void);

#endif

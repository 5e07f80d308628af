/* What programs print. The standard output may be full or closed: whoever prints and exits 0 must
 * know that it was written. */
#ifndef HUBBUB_MASTER_BASE_OUTPUT_H
#define HUBBUB_MASTER_BASE_OUTPUT_H

/* Says on standard error what is wrong, after the program's name; in the journal, which knows the
 * name, each line as an error instead. */
void output_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes what is still buffered. Returns 0, or 1, a program's exit code, after saying once on
 * standard error that something was lost. */
int output_end(void);

/* For programs that print: gives each standard descriptor that is closed a file, so that no socket
 * becomes one of them, and is written to; and ends the process with 1, whatever it exits with, if
 * its output is lost. To be called once, at the beginning of main. */
void output_guard(void);

#endif

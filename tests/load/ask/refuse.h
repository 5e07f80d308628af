/* Wrong usage. */
#ifndef HUBBUB_LOAD_REFUSE_H
#define HUBBUB_LOAD_REFUSE_H

/* Prints "hubbub-load: ..." to stderr, what is wrong and what would be right, and ends the process
 * with the exit code for wrong usage. */
_Noreturn void refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

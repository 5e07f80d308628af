/* Ends the process on wrong usage. */
#ifndef HUBBUB_LOAD_REFUSE_H
#define HUBBUB_LOAD_REFUSE_H

/* Prints "hubbub-load: " and the message, which says what is wrong and what would be right, to
 * stderr; then ends the process with LOAD_USAGE. */
_Noreturn void refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

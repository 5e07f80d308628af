/* In the master, numbers have a decimal point whatever locale the program has set: options,
 * metrics, status and log are read and written by other programs. Every other part of the locale
 * stays the program's, and workers keep the program's locale as a whole. */
#ifndef HUBBUB_MASTER_BASE_NUMERALS_H
#define HUBBUB_MASTER_BASE_NUMERALS_H

/* Numbers in this thread have a decimal point until numerals_end. If out of memory, the program's
 * locale stays in force. */
void numerals_begin(void);

/* Restores the program's locale in this thread. Does nothing if numerals_begin replaced nothing. */
void numerals_end(void);

#endif

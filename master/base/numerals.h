/* The master's numbers have a decimal point, whatever the locale that the program has set: its
 * options and their defaults are read, its metrics, its status and its log written, by programs of
 * any locale. The rest of the locale stays the program's, and in workers all of it. */
#ifndef HUBBUB_MASTER_BASE_NUMERALS_H
#define HUBBUB_MASTER_BASE_NUMERALS_H

/* This thread's are so from now on; without memory they stay the program's. */
void numerals_begin(void);

/* They are the program's again; nothing if they are. */
void numerals_end(void);

#endif

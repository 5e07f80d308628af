/* Names of functions, read from the files of the program and its libraries: also of functions that
 * are not exported, which dladdr(3) does not know. */
#ifndef HUBBUB_DEBUG_SYMBOL_PRIV_H
#define HUBBUB_DEBUG_SYMBOL_PRIV_H

#include <stddef.h>

/* Writes the name of the function whose code is at the address, and the address's offset in it.
 * Returns the name's length; 0 if no name is found, because the file was stripped, or is gone. */
size_t symbol_find(const void *address, char *name, size_t size, size_t *offset);

#endif

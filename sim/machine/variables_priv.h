/* The thread-local variables of a simulated thread. */
#ifndef HUBBUB_SIM_VARIABLES_PRIV_H
#define HUBBUB_SIM_VARIABLES_PRIV_H

#include <stdbool.h>
#include <stddef.h>

/* Finds where they lie in this thread. Returns how many bytes they take, for the calls below. */
size_t variables_find(void);

/* Whether this variable is among them. */
bool variables_have(const void *variable);

/* What they are at the start of a thread. */
void variables_init(unsigned char *kept);

/* Keeps them, or brings them back. */
void variables_keep(unsigned char *kept);
void variables_bring(const unsigned char *kept);

#endif

#ifndef HUBBUB_IO_RESOLVE_PRIV_H
#define HUBBUB_IO_RESOLVE_PRIV_H

#include "hub/io/resolve.h"

/* In a child process. */
void resolve_reset(void);

#endif

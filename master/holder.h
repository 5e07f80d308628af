/* Who listens on a port that is in use. */
#ifndef HUBBUB_MASTER_HOLDER_H
#define HUBBUB_MASTER_HOLDER_H

#include "master/address.h"

#define HOLDER_TEXT_SIZE 64

#define HOLDER_UNKNOWN "another process"

/* Writes "pid 123 (nginx)", or HOLDER_UNKNOWN where /proc does not tell. */
void holder_find(const struct address *address, char text[static HOLDER_TEXT_SIZE]);

#endif

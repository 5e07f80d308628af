/* Who listens on a port that is in use. */
#ifndef HUBBUB_SOCKETS_HOLDER_H
#define HUBBUB_SOCKETS_HOLDER_H

#include "master/sockets/address.h"

#define HOLDER_TEXT_SIZE 64

enum holder {
	HOLDER_UNKNOWN, /* nobody, or /proc does not tell */
	HOLDER_ORPHAN,  /* it may be a worker whose master is dead, and which closes its sockets */
	HOLDER_OTHER
};

/* Writes "pid 123 (nginx)", or "another process". */
enum holder holder_find(const struct address *address, char text[static HOLDER_TEXT_SIZE]);

#endif

/* <hubbub/self.h>: which part of the server the calling code runs in. */
#ifndef HUBBUB_SELF_H
#define HUBBUB_SELF_H

#include <hubbub/api.h>

HUBBUB_API_BEGIN

/* A hub's place in its server. Later versions may add fields at the end. */
struct hubbub_self {
	unsigned worker;     /* the index of the hub's worker process, from 0 */
	unsigned hub;        /* the index of the hub in its worker, from 0 */
	unsigned generation; /* 1 after the start; each reload and each upgrade has a higher one */
	unsigned workers;    /* worker processes of that generation; a scale may change it */
	unsigned hubs;       /* hubs of each worker: one for each of its threads */
};

/* Where the caller runs, from any coroutine of a server's hub. A worker that replaces a dead one
 * has its index. While a former generation drains, two workers may have the same index, in
 * different generations. Switches: no; it costs a few instructions.  Ownership: the library's;
 * valid until the hub ends. Errors: none; NULL in threads without a hub of a server. */
const struct hubbub_self *hubbub_self(void);

HUBBUB_API_END

#endif

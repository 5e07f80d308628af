#ifndef HUBBUB_LINK_PRIV_H
#define HUBBUB_LINK_PRIV_H

#include "hub/link.h"

struct hub;

/* Calls and forgets the links of the running coroutine, which ends. */
void links_tell(struct hub *hub, struct hub_coroutine *ended);

#endif

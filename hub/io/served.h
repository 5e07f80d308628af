/* Which connection the running coroutine serves, for what is done on behalf of it. */
#ifndef HUBBUB_IO_SERVED_H
#define HUBBUB_IO_SERVED_H

#include "hub/base/inside.h"

struct hub_mark;

/* The client whose connection the running coroutine serves for a server (io/server.h); -1 if it
 * serves none, or if the connection was closed since. Does not switch. */
int served_client(void) HUB_INSIDE(served_client);

/* The mark that visitors (hub_server_visit) have for that connection, also if it was closed since;
 * NULL if the coroutine serves none. Does not switch. */
const struct hub_mark *served_mark(void) HUB_INSIDE(served_mark);

#endif

/* Between a client and the server behind the proxy. */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include <stdint.h>

/* Copies bytes both ways until both have ended, or one is broken. The end of either way is passed
 * on, and the other one goes on; but not if it is silent for that many nanoseconds (0: however long
 * it is). A connection that ends otherwise than by its end is reset on the other side, too: the
 * client's at once, the server's when its socket is closed. Switches. */
void relay_run(int client, int server, int64_t silence);

#endif

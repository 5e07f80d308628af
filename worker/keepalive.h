/* Peers that answer nothing any more. */
#ifndef HUBBUB_WORKER_KEEPALIVE_H
#define HUBBUB_WORKER_KEEPALIVE_H

#include "worker/heritage.h"

/* Has the kernel give up connections that are accepted from this listener when their peers have
 * answered nothing for the settings' time, or turns that off; nothing of Unix sockets. Those that
 * were accepted or queued before keep what they had. Does not switch. */
void keepalive_set(int listener, const struct worker_settings *settings);

#endif

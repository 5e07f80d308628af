/* TCP options that find peers which no longer answer. */
#ifndef HUBBUB_WORKER_KEEPALIVE_H
#define HUBBUB_WORKER_KEEPALIVE_H

#include "worker/heritage.h"

/* Sets a listener's options so that the kernel gives up accepted connections whose peers have
 * answered nothing for the time in settings; or turns that off, if the time is 0. Does nothing to
 * Unix sockets. Connections that are open or queued already keep their options. An option that
 * cannot be set is logged. Switches: no. */
void keepalive_set(int listener, const struct worker_settings *settings);

#endif

/* A shortage of file descriptors or memory, in a place that can do nothing but wait for its end:
 * libev's, which asks again for what it needs as long as its error callback returns. */
#ifndef HUBBUB_BASE_SHORTAGE_H
#define HUBBUB_BASE_SHORTAGE_H

#include <stdbool.h>

#include "hub/base/inside.h"

/* Blocks the thread for 10 ms, after which others may have given back what was missing, and logs so
 * once a minute. what begins with a verb: "watch descriptors". Returns false, at once, if the errno
 * is none of a shortage, or the process has waited so for ten seconds. Thread: any. */
bool shortage_wait(int error, const char *what) HUB_INSIDE(shortage_wait);

#endif

/* The order in which runnable coroutines run. */
#ifndef HUBBUB_SIM_ORDER_PRIV_H
#define HUBBUB_SIM_ORDER_PRIV_H

#include <stdbool.h>

struct ev_loop;
struct hub;

/* This thread's hub polls its loop. Returns whether a coroutine has run since it last did. */
bool order_polls(struct ev_loop *loop);

/* Whether another than the first of the run queue becomes the first. */
void order_take(struct hub *hub);

/* The run ends. */
void order_end(void);

#endif

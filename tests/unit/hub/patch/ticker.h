/* A coroutine that does nothing but run, and counts: did a call beside it let it? */
#ifndef HUBBUB_TESTS_TICKER_H
#define HUBBUB_TESTS_TICKER_H

/* How often it has run. */
extern int ticks;

/* On a coroutine; stopped before the hub ends. Switches. */
void ticker_start(void);
void ticker_stop(void);

#endif

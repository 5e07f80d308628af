/* Random blocking calls of a plain program, which print their results. */
#ifndef HUBBUB_TESTS_CALLS_H
#define HUBBUB_TESTS_CALLS_H

#include <errno.h>

#include "tests/fuzz/random.h"

/* Prints what a call gives: its result, and errno if it fails, or if it succeeds and has changed
 * errno. */
void calls_tell(const char *what, long result);

enum { CALLS_UNTOUCHED = 4242 };
#define CALL(call) (errno = CALLS_UNTOUCHED, calls_tell(#call, (long)(call)))

/* Each of these makes one random call, or a few. */
void calls_receive(void);
void calls_send(void);
void calls_poll(void);
void calls_select(void);
void calls_epoll(void);
void calls_sleep(void);
void calls_accept(void);
void calls_connect(void);
void calls_child(void);
void calls_lock(void);
void calls_interrupt(void);
void calls_fork(void);
void calls_wrong(void);

#endif

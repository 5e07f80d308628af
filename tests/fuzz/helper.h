/* The other side of random programs of blocking calls: a thread that does one act at a time, before
 * a call or while that waits. */
#ifndef HUBBUB_TESTS_HELPER_H
#define HUBBUB_TESTS_HELPER_H

#include <stddef.h>
#include <sys/socket.h>

enum act_kind { ACT_NONE, ACT_WRITE, ACT_READ, ACT_CLOSE, ACT_SHUT_DOWN, ACT_CONNECT };

struct act {
	enum act_kind kind;
	int fd;
	size_t size;                    /* ACT_WRITE, ACT_READ: all of it */
	unsigned microseconds;          /* before it */
	const struct sockaddr *address; /* ACT_CONNECT */
	socklen_t length;
};

/* Once, and at the end. */
void helper_start(void);
void helper_end(void);

/* Begins an act; the last one has ended. */
void helper_begin(const struct act *act);

/* In a child, which has no such thread, acts are over when they have begun; until its parent, which
 * may have the same memory, goes on. */
void helper_stays_behind(void);
void helper_comes_back(void);

/* Waits until the act has ended. */
void helper_wait(void);

#endif

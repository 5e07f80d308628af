/* The other end of random programs of blocking calls: a thread that does one act at a time, before
 * a call or while the call waits. */
#ifndef HUBBUB_TESTS_HELPER_H
#define HUBBUB_TESTS_HELPER_H

#include <stddef.h>
#include <sys/socket.h>

enum act_kind { ACT_NONE, ACT_WRITE, ACT_READ, ACT_CLOSE, ACT_SHUT_DOWN, ACT_CONNECT };

struct act {
	enum act_kind kind;
	int fd;
	size_t size;                    /* bytes, all of which ACT_WRITE or ACT_READ moves */
	unsigned microseconds;          /* pause before the act */
	const struct sockaddr *address; /* of ACT_CONNECT */
	socklen_t length;
};

/* helper_start once, helper_end at the end. */
void helper_start(void);
void helper_end(void);

/* Begins an act. The last one must have ended. */
void helper_begin(const struct act *act);

/* In a forked child, which has no helper thread, helper_begin does the act before it returns, until
 * helper_comes_back: a child of vfork shares this state with its parent. */
void helper_stays_behind(void);
void helper_comes_back(void);

/* Waits until the act has ended. */
void helper_wait(void);

#endif

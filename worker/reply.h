/* A reply: a command of the service's own (command.h) that the master has asked for, run for it.
 *
 * The master passes a socket, into which it has written the arguments, each ended by a NUL, and
 * then the end of file. The worker writes the output, then a struct reply_end, then the end of
 * file. An end without that record is the end of the worker. */
#ifndef HUBBUB_WORKER_REPLY_H
#define HUBBUB_WORKER_REPLY_H

#include <stdint.h>

#include "hub/base/clock.h"
#include "worker/memo.h"

#define REPLY_MOST ((size_t)1 << 20)      /* bytes of output */
#define REPLY_ARGUMENTS_SIZE 4096         /* bytes of all arguments, with their NULs */
#define REPLY_ARGUMENTS_MAX 64            /* arguments */
#define REPLY_TIME (4 * CLOCK_SECOND)     /* nanoseconds for a command */
#define REPLY_PATIENCE (5 * CLOCK_SECOND) /* nanoseconds for which the master waits */

/* The last that the worker writes. */
struct reply_end {
	uint32_t length; /* of the output before it */
	uint32_t has_failed;
	uint32_t is_bad_usage;   /* it has failed because of its arguments */
	char why[MEMO_WHY_SIZE]; /* "" if it has not failed */
};

struct worker_thread;

/* Runs the command of that number in a coroutine of its own, which owns the socket, and has it
 * answer there. Without memory, or if there is no such command, the socket is closed. The hub's
 * thread only. Switches: no. */
void reply_start(struct worker_thread *thread, int64_t number, int socket);

#endif

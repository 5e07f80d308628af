/* Calls of files by other threads, since poll(2) cannot wait for a file. The struct file_call lies
 * on the caller's stack: hub_offload returns only when the thread is done with it. */
#include "hub/patch/transfer_priv.h"

#include "hub/patch/generation_priv.h"
#include "hub/patch/patch_priv.h"

static void *
run_file_call(void *argument)
{
	struct file_call *c = argument;

	/* fd may have been closed while the call waited for this thread. */
	if (generation_of(c->fd) != c->generation) {
		c->answer = -1;
		c->error = EBADF;
		return NULL;
	}
	switch (c->call) {
	case CALL_readv:
		c->answer = REAL(readv)(c->fd, c->parts, c->count);
		break;
	case CALL_writev:
		c->answer = REAL(writev)(c->fd, c->parts, c->count);
		break;
	/* Without flags the older system calls do, which every filter of system calls allows. */
	case CALL_preadv2:
		c->answer = c->flags == 0
				    ? REAL(preadv)(c->fd, c->parts, c->count, c->offset)
				    : REAL(preadv2)(c->fd, c->parts, c->count, c->offset, c->flags);
		break;
	default:
		c->answer = c->flags == 0 ? REAL(pwritev)(c->fd, c->parts, c->count, c->offset)
					  : REAL(pwritev2)(
						    c->fd, c->parts, c->count, c->offset, c->flags);
		break;
	}
	c->error = errno;
	return NULL;
}

ssize_t
file_offload(struct file_call *c)
{
	c->generation = generation_of(c->fd);
	if (patch_offload(run_file_call, c) != 0)
		return -1;
	errno = c->error;
	return c->answer;
}

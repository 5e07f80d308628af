/* What a file is asked by another thread, since nobody can wait for a file. */
#include "hub/patch/transfer_priv.h"

#include <hubbub/thread/offload.h>

static void *
run_file_call(void *argument)
{
	struct file_call *c = argument;

	if (descriptor_generation(c->fd) != c->generation) {
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
	case CALL_preadv2:
		c->answer = REAL(preadv2)(c->fd, c->parts, c->count, c->offset, c->flags);
		break;
	default:
		c->answer = REAL(pwritev2)(c->fd, c->parts, c->count, c->offset, c->flags);
		break;
	}
	c->error = errno;
	return NULL;
}

ssize_t
file_offload(struct file_call *c)
{
	c->generation = descriptor_generation(c->fd);
	if (hub_offload(run_file_call, c, NULL) != 0)
		return -1;
	errno = c->error;
	return c->answer;
}

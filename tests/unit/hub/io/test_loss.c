/* A loss is left for the next receive: once, and of the same file. What patched calls make of it is
 * in tests/unit/hub/patch/test_loss.c. */
#include "hub/io/loss.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int pair[2];

static void *
leave(void *argument)
{
	int files[2];

	pipe(files);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	errno = ECONNRESET;
	loss_note(-1);
	loss_leave(1 << 20);
	trace_whether("unknown", loss_take(-1) == 0 && loss_take(1 << 20) == 0);
	hub_adopt(pair[0]);
	errno = EAGAIN;
	loss_note(pair[0]);
	loss_leave(pair[0]);
	trace_call("no loss", loss_take(pair[0]));
	errno = ETIMEDOUT;
	loss_leave(pair[0]);
	trace_call("not the kernel's", loss_take(pair[0]));
	loss_note(pair[0]);
	loss_leave(pair[0]);
	trace_whether("errno is kept", errno == ETIMEDOUT);
	trace_whether("the loss", loss_take(pair[0]) == ETIMEDOUT);
	trace_call("again", loss_take(pair[0]));
	errno = ETIMEDOUT;
	loss_leave(pair[0]);
	dup2(files[0], pair[0]);
	trace_call("of another file", loss_take(pair[0]));
	close(files[0]);
	close(files[1]);
	close(pair[0]);
	close(pair[1]);
	return argument;
}

Test(loss, is_left_once_and_to_the_same_file)
{
	in_hub(leave, NULL);
	EXPECT_TRACE("unknown, no loss 0, not the kernel's 0, errno is kept, the loss, again 0, of "
		     "another file 0");
}

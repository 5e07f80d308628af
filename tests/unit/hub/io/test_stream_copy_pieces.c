/* A file that is sent in pieces of a GiB, of which nothing is really sent: the source is compiled
 * here once more, with another hub_sendfile. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "hub/hub.h"
#include "hub/io/fd_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static unsigned calls;

/* One piece goes; then the connection is lost, which the kernel tells once. */
static ssize_t
send_one_piece(int out, int in, off_t *offset, size_t count)
{
	(void)in, (void)offset;
	if (calls++ == 0)
		return (ssize_t)count;
	errno = calls == 2 ? ECONNRESET : EPIPE;
	fd_note_failure(fd_lookup(hub_this, out));
	return -1;
}

#define hub_sendfile send_one_piece
#define hub_stream_copy copy_in_pieces
int64_t copy_in_pieces(struct hub_stream *from, struct hub_stream *to, uint64_t count);
#include "hub/io/stream_copy.c"
#undef hub_sendfile
#undef hub_stream_copy

static void *
body(void *unused)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), pair[2];
	struct hub_stream *from, *to;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	from = hub_stream_new(file, NULL);
	to = hub_stream_new(pair[0], NULL);
	trace_whether("a piece", copy_in_pieces(from, to, 3 * PIECE) == (int64_t)PIECE);
	close(pair[1]);
	trace_call("receive", (long)hub_recv(pair[0], &byte, 1, 0));
	hub_stream_free(from);
	hub_stream_free(to);
	hub_close(file);
	hub_close(pair[0]);
	return unused;
}

Test(stream_copy_pieces, a_loss_behind_a_piece_is_told_to_the_next_receive)
{
	in_hub(body, NULL);
	EXPECT_TRACE("a piece, receive ECONNRESET");
}

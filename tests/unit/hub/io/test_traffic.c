/* The bytes of a descriptor, whichever call of the hub they go by. */
#include "hub/io/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/hub.h"
#include "hub/io/file.h"
#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int pair[2];
static struct traffic traffic;

static void
say(const char *what)
{
	trace_say("%s %lu/%lu", what, (unsigned long)traffic.received, (unsigned long)traffic.sent);
}

static void *
body(void *unused)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct iovec parts[2] = {{"ab", 2}, {"c", 1}};
	struct hub_stream *stream;
	char bytes[64];
	size_t held;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	traffic_begin(pair[0], &traffic);
	hub_send(pair[1], "hello", 5, 0);
	hub_recv(pair[0], bytes, 5, MSG_PEEK);
	say("peek");
	hub_recv(pair[0], bytes, 2, 0);
	hub_read(pair[0], bytes, 3);
	say("recv, read");
	hub_send(pair[0], "x", 1, 0);
	hub_writev(pair[0], parts, 2);
	say("send, writev");
	hub_sendfile(pair[0], file, NULL, 100);
	say("sendfile");
	hub_send(pair[1], "line\n", 5, 0);
	stream = hub_stream_new(pair[0], NULL);
	hub_stream_read_line(stream, &held);
	hub_stream_printf(stream, "answer");
	hub_stream_close(stream);
	say("stream");
	traffic_received(pair[0], 10);
	traffic_sent(pair[0], 20);
	traffic_received(pair[1], 1);
	traffic_sent(-1, 1);
	say("by others");
	trace_whether("all", traffic_end(pair[0], &traffic));
	hub_send(pair[0], "x", 1, 0);
	say("ended");
	trace_whether("begun", traffic_begin(-1, &traffic) == 0);
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_close(file);
	return unused;
}

Test(traffic, is_what_goes_over_the_descriptor)
{
	in_hub(body, NULL);
	EXPECT_TRACE("peek 0/0, recv, read 5/0, send, writev 5/4, sendfile 5/104, stream 10/110, "
		     "by others 20/130, all, ended 20/130, not begun");
}

static void *
close_and_open(void *unused)
{
	int other;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	traffic_begin(pair[0], &traffic);
	hub_close(pair[0]);
	other = dup(pair[1]);
	trace_whether("the same number", other == pair[0]);
	hub_send(other, "x", 1, MSG_NOSIGNAL);
	say("other");
	trace_whether("all", traffic_end(other, &traffic));
	hub_close(other);
	hub_close(pair[1]);
	return unused;
}

/* What it pointed to may be gone with its coroutine's stack. */
Test(traffic, ends_with_the_opening_of_the_descriptor)
{
	in_hub(close_and_open, NULL);
	EXPECT_TRACE("the same number, other 0/0, not all");
}

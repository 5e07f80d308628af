/* Streams of stdio over sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/ticker.h"

static void *
say_slowly(void *argument)
{
	int fd = *(int *)argument;

	hub_sleep(5 * HUB_MILLISECOND);
	write(fd, "first li", 8);
	hub_sleep(5 * HUB_MILLISECOND);
	write(fd, "ne\nsecond", 9);
	hub_sleep(5 * HUB_MILLISECOND);
	write(fd, " line\n", 6);
	return NULL;
}

static void
note_line(FILE *stream)
{
	char line[32] = "";

	if (fgets(line, sizeof line, stream) == NULL)
		trace_say("no line");
	else
		trace_say("%s", strtok(line, "\n"));
}

static void *
use_stream(void *argument)
{
	int pair[2], before = ticks;
	char answer[32] = "";
	FILE *stream;

	ticker_start();
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = fdopen(pair[0], "r+");
	hub_detach(hub_spawn(say_slowly, &pair[1]));
	note_line(stream);
	note_line(stream);
	trace_say(ticks > before ? "others ran" : "nobody ran");
	trace_call("fileno is right", fileno(stream) == pair[0]);
	fflush(stream);
	fprintf(stream, "answer %d\n", 42);
	trace_call("flush", fflush(stream));
	trace_call("read", read(pair[1], answer, sizeof answer));
	trace_say("%s", strtok(answer, "\n"));
	trace_call("fclose", fclose(stream));
	trace_call("closed", fcntl(pair[0], F_GETFD));
	trace_error("fdopen of none", fdopen(pair[0], "r") == NULL ? errno : 0);
	trace_error("fdopen for x", fdopen(pair[1], "x") == NULL ? errno : 0);
	close(pair[1]);
	ticker_stop();
	return argument;
}

TestSuite(stream, .timeout = 60);

Test(stream, over_a_socket_it_suspends)
{
	hub_patch_all();
	in_hub(use_stream, NULL);
	EXPECT_TRACE("first line, second line, others ran, fileno is right 1, flush 0, read 10, "
		     "answer 42, fclose 0, closed EBADF, fdopen of none EBADF, "
		     "fdopen for x EINVAL");
}

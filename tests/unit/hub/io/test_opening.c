/* Openings: which life of a number somebody means, and whether that has ended. */
#include "hub/io/opening.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
close_body(void *argument)
{
	int event = eventfd(0, EFD_CLOEXEC);
	struct fd_opening opening = fd_opening(event), next;

	trace_whether("closed", fd_was_closed(&opening));
	hub_close(event);
	trace_whether("closed", fd_was_closed(&opening));
	/* The number comes again, and is another's. */
	event = dup2(STDIN_FILENO, event);
	next = fd_opening(event);
	trace_whether("closed", fd_was_closed(&opening));
	trace_whether("the next one closed", fd_was_closed(&next));
	hub_close(event);
	return argument;
}

Test(opening, a_number_is_closed_once_and_stays_so)
{
	in_hub(close_body, NULL);
	cr_assert_str_eq(trace_text(), "not closed, closed, closed, not the next one closed");
}

Test(opening, without_a_hub_nothing_is_known)
{
	struct fd_opening opening = fd_opening(STDIN_FILENO);

	cr_assert_null(opening.entry);
	cr_assert_not(fd_was_closed(&opening));
}

static void *
closed_body(void *argument)
{
	bool *was_closed = argument;
	int event = eventfd(0, EFD_CLOEXEC);
	struct fd_opening opening;

	hub_close(event);
	opening = fd_opening(event);
	*was_closed = fd_was_closed(&opening);
	return NULL;
}

Test(opening, a_number_that_is_closed_already_is_none)
{
	bool was_closed = true;

	in_hub(closed_body, &was_closed);
	cr_assert_not(was_closed);
}

static void *
reset_body(void *argument)
{
	struct fd_opening opening, next;
	int ends[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	opening = fd_opening(ends[0]);
	trace_whether("reset", fd_was_reset(&opening));
	/* Its peer leaves, and has not read it. */
	hub_send(ends[0], "x", 1, 0);
	close(ends[1]);
	hub_recv(ends[0], &byte, 1, 0);
	trace_whether("reset", fd_was_reset(&opening));
	hub_close(ends[0]);
	trace_whether("reset", fd_was_reset(&opening));
	dup2(STDIN_FILENO, ends[0]);
	next = fd_opening(ends[0]);
	trace_whether("the next one reset", fd_was_reset(&next));
	hub_close(ends[0]);
	return argument;
}

Test(opening, a_reset_is_known_until_the_close)
{
	in_hub(reset_body, NULL);
	cr_assert_str_eq(trace_text(), "not reset, reset, not reset, not the next one reset");
}

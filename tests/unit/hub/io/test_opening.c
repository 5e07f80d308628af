#include "hub/io/opening.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	bool was_closed[4];
};

static void *
close_body(void *argument)
{
	struct record *record = argument;
	int event = eventfd(0, EFD_CLOEXEC);
	struct fd_opening opening = fd_opening(event), next;

	record->was_closed[0] = fd_was_closed(&opening);
	hub_close(event);
	record->was_closed[1] = fd_was_closed(&opening);
	/* The number comes again, and is another's. */
	event = dup2(STDIN_FILENO, event);
	next = fd_opening(event);
	record->was_closed[2] = fd_was_closed(&opening);
	record->was_closed[3] = fd_was_closed(&next);
	hub_close(event);
	return NULL;
}

Test(opening, a_number_is_closed_once_and_stays_so)
{
	struct record record = {0};

	in_hub(close_body, &record);
	cr_assert_not(record.was_closed[0]);
	cr_assert(record.was_closed[1]);
	cr_assert(record.was_closed[2], "the number is another descriptor's");
	cr_assert_not(record.was_closed[3]);
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

#include "hub/io/leftover.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static void
begin(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void
end(void)
{
	close(ends[0]);
	if (ends[1] != -1)
		close(ends[1]);
}

TestSuite(leftover, .init = begin, .fini = end, .timeout = 30);

Test(leftover, says_what_may_come)
{
	char buffer[16];

	cr_assert_eq(leftover_discard(ends[0], buffer, sizeof buffer), LEFTOVER_NONE);
	cr_assert_eq(send(ends[1], "some", 4, 0), 4);
	cr_assert_eq(leftover_discard(ends[0], buffer, sizeof buffer), LEFTOVER_NONE);
	cr_assert_eq(recv(ends[0], buffer, sizeof buffer, MSG_DONTWAIT), -1, "it was left");
	close(ends[1]);
	ends[1] = -1;
	cr_assert_eq(leftover_discard(ends[0], buffer, sizeof buffer), LEFTOVER_ENDED);
}

Test(leftover, a_socket_that_is_none_has_ended)
{
	char buffer[16];

	cr_assert_eq(leftover_discard(-1, buffer, sizeof buffer), LEFTOVER_ENDED);
}

Test(leftover, reads_no_more_than_a_turn_of_it)
{
	char sent[1000], buffer[16];

	memset(sent, 'x', sizeof sent);
	cr_assert_eq(send(ends[1], sent, sizeof sent, 0), (ssize_t)sizeof sent);
	cr_assert_eq(leftover_discard(ends[0], buffer, sizeof buffer), LEFTOVER_MORE);
	cr_assert_eq(recv(ends[0], sent, sizeof sent, MSG_DONTWAIT),
		(ssize_t)(sizeof sent - 4 * sizeof buffer));
}

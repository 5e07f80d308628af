/* Who was refused, and who has left. */
#include "worker/refuse.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"

/* One connection: [0] is the server's end, [1] the peer's. */
static void
connect_pair(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	ends[1] = client_connect(ntohs(address.sin_port));
	ends[0] = accept(listener, NULL, NULL);
	cr_assert_geq(ends[0], 0);
	close(listener);
}

Test(refuse, a_peer_has_left_after_a_reset_or_an_end_without_a_word)
{
	int ends[2];

	connect_pair(ends);
	cr_assert_not(has_left(ends[0], false));
	cr_assert_not(has_left(ends[0], true));
	shutdown(ends[1], SHUT_WR);
	cr_assert(has_left(ends[0], false));
	cr_assert_not(has_left(ends[0], true), "it has said half of something");
	client_reset(ends[1]);
	cr_assert(has_left(ends[0], true));
	close(ends[0]);
}

Test(refuse, a_peer_that_has_said_something_has_not_left)
{
	int ends[2];

	connect_pair(ends);
	cr_assert_eq(send(ends[1], "x", 1, 0), 1);
	shutdown(ends[1], SHUT_WR);
	cr_assert_not(has_left(ends[0], false));
	close(ends[0]);
	close(ends[1]);
}

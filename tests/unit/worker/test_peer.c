/* What a service is told of a connection that is not encrypted; of encrypted ones, system/test_tls
 * and test_tls_clients show it. */
#include "worker/peer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

static struct {
	ssize_t length;
	int error;
	const char *protocol;
} told;

static void *
plain_body(void *unused)
{
	int pair[2];
	char text[8];
	bool is_verified;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	told.length = hubbub_peer_subject(pair[0], text, sizeof text, &is_verified);
	told.error = errno;
	told.protocol = hubbub_protocol(pair[0]);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return unused;
}

Test(peer, has_no_certificate_and_no_protocol_without_tls)
{
	in_hub(plain_body, NULL);
	cr_assert_eq(told.length, -1);
	cr_assert_eq(told.error, ENODATA);
	cr_assert_null(told.protocol);
	cr_assert_eq(hubbub_peer_subject(-1, NULL, 0, NULL), -1);
	cr_assert_null(hubbub_protocol(-1));
}

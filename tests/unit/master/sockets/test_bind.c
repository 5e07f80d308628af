#include "master/sockets/bind.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/unit/master/seats.h"

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof value;

	cr_assert_eq(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

Test(bind, a_free_port_becomes_a_real_one_that_others_can_join)
{
	struct address address = seats_address("127.0.0.1:0");
	int first = bind_address(&address), second;

	cr_assert_neq(first, -1);
	cr_assert_neq(address_port(&address), 0);
	second = bind_address(&address);
	cr_assert_neq(second, -1);
	cr_assert(fcntl(first, F_GETFL) & O_NONBLOCK);
	cr_assert_neq(option(first, IPPROTO_TCP, TCP_NODELAY), 0);
	close(first);
	close(second);
}

Test(bind, a_datagram_socket_tells_to_which_address_a_peer_has_sent)
{
	struct address address = seats_address("udp:127.0.0.1:0");
	int fd = bind_address(&address);

	cr_assert_neq(fd, -1);
	cr_assert_eq(option(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	cr_assert_neq(option(fd, IPPROTO_IP, IP_PKTINFO), 0);
	close(fd);
}

Test(bind, all_of_v6_is_all_of_v4_too)
{
	struct address address = seats_address("[::]:0");
	int fd = bind_address(&address);

	if (fd == -1)
		cr_skip("needs IPv6");
	cr_assert_eq(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	close(fd);
}

Test(bind, what_cannot_be_bound_leaves_nothing_open)
{
	/* For documentation: no machine has it. */
	struct address address = seats_address("192.0.2.1:80");
	int before = open_descriptors();

	cr_assert_eq(bind_address(&address), -1);
	cr_assert_eq(errno, EADDRNOTAVAIL);
	cr_assert_eq(open_descriptors(), before);
}

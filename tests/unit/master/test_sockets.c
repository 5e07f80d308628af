#include "master/sockets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "tests/support/in_hub.h"

static struct address
loopback(void)
{
	struct address address;
	const char *why;

	cr_assert_eq(address_parse("127.0.0.1:0", &address, 1, &why), 1);
	return address;
}

static int
connect_to(const struct address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int result = connect(fd, (const struct sockaddr *)&address->socket, address->length);

	close(fd);
	return result;
}

Test(sockets, all_share_one_port_and_listen_only_when_told)
{
	struct address address = loopback();
	struct sockets sockets;

	cr_assert_eq(sockets_open(&sockets, &address, 1, 2, 2, 16), 0);
	cr_assert_gt(address_port(&sockets.addresses[0]), 0);
	cr_assert_eq(connect_to(&sockets.addresses[0]), -1);
	cr_assert_eq(sockets_listen(&sockets, 1, 1), 0);
	cr_assert_eq(connect_to(&sockets.addresses[0]), 0);
	cr_assert_eq(sockets_listen(&sockets, 1, 1), 0, "listening twice is harmless");
	sockets_close_hub(&sockets, 1, 1);
	cr_assert_eq(connect_to(&sockets.addresses[0]), -1);
	sockets_close(&sockets);
}

Test(sockets, a_second_copy_is_refused_and_closing_leaves_nothing)
{
	struct address address = loopback();
	struct sockets first, second;
	int before = open_descriptors();

	cr_assert_eq(sockets_open(&first, &address, 1, 1, 1, 16), 0);
	cr_assert_eq(sockets_open(&second, first.addresses, 1, 1, 1, 16), -1);
	sockets_close(&second);
	sockets_close(&first);
	cr_assert_eq(open_descriptors(), before);
}

Test(sockets, a_stranger_on_the_port_is_found_even_with_reuseport)
{
	struct address address = loopback();
	struct sockets sockets;
	int on = 1, stranger = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(stranger, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	cr_assert_eq(bind(stranger, (struct sockaddr *)&address.socket, address.length), 0);
	cr_assert_eq(listen(stranger, 1), 0);
	getsockname(stranger, (struct sockaddr *)&address.socket, &address.length);
	cr_assert_eq(sockets_open(&sockets, &address, 1, 1, 1, 16), -1);
	sockets_close(&sockets);
	close(stranger);
}

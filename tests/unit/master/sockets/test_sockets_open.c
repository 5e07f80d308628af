#include "master/sockets/sockets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/unit/master/seats.h"

Test(sockets_open, a_second_copy_is_refused_and_closing_leaves_nothing)
{
	struct sockets first, second;
	int before = open_descriptors();

	seats_open(&first, 1);
	cr_assert_eq(sockets_init(&second, first.addresses, 1, 16), 0);
	cr_assert_eq(sockets_open(&second, 1), -1);
	sockets_close(&second);
	sockets_close(&first);
	cr_assert_eq(open_descriptors(), before);
}

Test(sockets_open, a_stranger_on_the_port_is_found_even_with_reuseport)
{
	struct address address = seats_address("127.0.0.1:0");
	struct sockets sockets;
	int on = 1, stranger = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(stranger, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	cr_assert_eq(bind(stranger, (struct sockaddr *)&address.socket, address.length), 0);
	cr_assert_eq(listen(stranger, 1), 0);
	getsockname(stranger, (struct sockaddr *)&address.socket, &address.length);
	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 1), -1);
	sockets_close(&sockets);
	close(stranger);
}

static int
bound(struct address *address, bool reuses)
{
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (reuses)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address->socket, address->length), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address->socket, &address->length), 0);
	return fd;
}

/* A listening socket as a service manager passes it. */
static int
passed(struct address *address, bool reuses)
{
	int fd = bound(address, reuses);

	cr_assert_eq(listen(fd, 16), 0);
	return fd;
}

Test(sockets_open, a_passed_one_gets_siblings_where_it_can)
{
	struct address address = seats_address("127.0.0.1:0");
	int fd = passed(&address, true);
	struct sockets sockets;

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	sockets_take(&sockets, (unsigned)sockets_find(&sockets, fd), fd);
	cr_assert_eq(sockets_open(&sockets, 2), 0);
	cr_assert_eq(seats_shared_socket(&sockets), -1);
	cr_assert_eq(seats_socket(&sockets, 0), fd);
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	cr_assert_eq(sockets_listen(&sockets, 1), 0);
	sockets_close(&sockets);
}

Test(sockets_open, a_passed_one_is_shared_where_it_cannot_have_siblings)
{
	struct address address = seats_address("127.0.0.1:0");
	int fd = passed(&address, false), client;
	struct sockets sockets;

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	sockets_take(&sockets, (unsigned)sockets_find(&sockets, fd), fd);
	cr_assert_eq(sockets_open(&sockets, 2), 0);
	cr_assert_eq(seats_shared_socket(&sockets), fd);
	cr_assert_eq(seats_connect(&address), 0);
	client = accept(seats_socket(&sockets, 1), NULL, NULL);
	cr_assert_neq(client, -1, "any seat may accept");
	close(client);
	sockets_close(&sockets);
}

/* Some managers leave that to the server. */
Test(sockets_open, a_passed_one_that_does_not_listen_does_so_when_it_is_to)
{
	struct address address = seats_address("127.0.0.1:0");
	int fd = bound(&address, false);
	struct sockets sockets;

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	sockets_take(&sockets, (unsigned)sockets_find(&sockets, fd), fd);
	cr_assert_eq(sockets_open(&sockets, 2), 0);
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	cr_assert_eq(seats_connect(&address), 0);
	sockets_close(&sockets);
}

Test(sockets_open, a_path_that_a_killed_server_left_is_taken)
{
	struct address address = seats_address("unix:/tmp/hubbub-test-stale");
	struct sockets sockets;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address.socket, address.length), 0);
	close(fd);
	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 1), 0);
	sockets_close(&sockets);
	cr_assert_eq(access(address_path(&address), F_OK), -1);
	/* What is no socket is not removed. */
	fd = open(address_path(&address), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_neq(fd, -1);
	close(fd);
	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 1), -1);
	sockets_close(&sockets);
	cr_assert_eq(unlink(address_path(&address)), 0);
}

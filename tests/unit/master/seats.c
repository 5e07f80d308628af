#include "tests/unit/master/seats.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

struct address
seats_address(const char *text)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	cr_assert_eq(address_parse(text, addresses, &why), 1, "%s", why);
	return addresses[0];
}

int
seats_connect(const struct address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int result = connect(fd, (const struct sockaddr *)&address->socket, address->length);

	close(fd);
	return result;
}

void
seats_open(struct sockets *sockets, unsigned seats)
{
	struct address address = seats_address("127.0.0.1:0");

	cr_assert_eq(sockets_init(sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(sockets, seats), 0);
}

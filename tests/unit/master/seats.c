#include "tests/unit/master/seats.h"

#include <criterion/criterion.h>
#include <stdio.h>
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

const struct address *
seats_own_address(const struct sockets *sockets)
{
	cr_assert_eq(sockets->address_count, 1);
	return &sockets->addresses[0];
}

int
seats_socket(const struct sockets *sockets, unsigned seat)
{
	return sockets->seats[seat].fds[0];
}

int
seats_shared_socket(const struct sockets *sockets)
{
	return sockets->shared[0];
}

const char *
seats_order(const struct sockets *sockets)
{
	static char text[128];
	size_t length = 0;

	*text = '\0';
	for (unsigned index = 0; index < sockets->listening; index++) {
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%u",
			index > 0 ? " " : "", sockets->order[index]);
		cr_assert_lt(length, sizeof text);
	}
	return text;
}

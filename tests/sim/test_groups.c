/* Groups of listeners (SO_REUSEPORT), as servers of many processes use them. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 40
#define BACKLOG 64

TestSuite(groups, .timeout = 60);

/* What tcp_info tells of a listener. */
static unsigned
queued(int listener)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof info;

	getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length);
	return info.tcpi_state == TCP_LISTEN ? info.tcpi_unacked : 0;
}

/* A listener at the port, or -1 with errno. */
static int
listen_at(in_port_t port, bool is_in_group)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0), on = is_in_group, error;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	hub_close(fd);
	errno = error;
	return -1;
}

/* Connects so many clients to the port, and closes them. Returns how many were connected. */
static int
connect_some(in_port_t port, int count)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int connected = 0;

	for (int i = 0; i < count; i++) {
		int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

		connected += hub_connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
		hub_close(fd);
	}
	return connected;
}

/* Connects once more, and looks where the client is. */
static in_addr_t
client_host(in_port_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	hub_connect(fd, (struct sockaddr *)&address, sizeof address);
	getsockname(fd, (struct sockaddr *)&address, &length);
	hub_close(fd);
	return ntohl(address.sin_addr.s_addr);
}

static struct {
	int connected, connected_to_last;
	unsigned first, last;          /* clients that each listener had in its queue */
	unsigned first_left, last_had; /* after the first one was shut down */
	in_addr_t host;                /* of a client */
	int stranger;                  /* errno of a listener that is not of the group */
} seen;

static void *
fill_a_group(void *unused)
{
	int first = listen_at(9090, true), last = listen_at(9090, true);

	seen.stranger = listen_at(9090, false) == -1 ? errno : 0;
	seen.connected = connect_some(9090, CLIENTS);
	seen.first = queued(first);
	seen.last = queued(last);
	hub_shutdown(first, SHUT_RDWR);
	seen.first_left = queued(first);
	seen.connected_to_last = connect_some(9090, 5);
	seen.last_had = queued(last);
	seen.host = client_host(9090);
	hub_close(first);
	hub_close(last);
	return unused;
}

Test(groups, clients_are_spread_over_the_listeners_of_a_group)
{
	cr_assert_eq(hub_sim_run(3, NULL, fill_a_group, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(seen.stranger, EADDRINUSE);
	cr_assert_eq(seen.connected, CLIENTS);
	cr_assert_eq(seen.first + seen.last, CLIENTS);
	cr_assert_gt(seen.first, 0);
	cr_assert_gt(seen.last, 0);
	cr_assert_eq(seen.first_left, 0);
	cr_assert_eq(seen.connected_to_last, 5);
	cr_assert_eq(seen.last_had, seen.last + 5);
	cr_assert_eq(seen.host, INADDR_LOOPBACK);
}

/* The names of hosts in one world, and their addresses. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void *
do_nothing(void *unused)
{
	return unused;
}

static struct {
	int v4, v6;          /* addresses */
	int unknown, lonely; /* of getaddrinfo, and of connect: errno */
} names;

static void *
look_up(void *unused)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
	struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(7)};
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	hub_sim_join(hub_sim_start("other", do_nothing, NULL), NULL);
	if (hub_getaddrinfo("other", "7", &hints, &addresses) == 0) {
		for (struct addrinfo *each = addresses; each != NULL; each = each->ai_next) {
			names.v4 += each->ai_family == AF_INET;
			names.v6 += each->ai_family == AF_INET6;
		}
		hub_freeaddrinfo(addresses);
	}
	names.unknown = hub_getaddrinfo("nobody", "7", &hints, &addresses);
	nobody.sin_addr.s_addr = htonl(0xc0000201);
	names.lonely = hub_connect(fd, (struct sockaddr *)&nobody, sizeof nobody) == 0 ? 0 : errno;
	hub_close(fd);
	return unused;
}

Test(names, of_hosts_have_addresses_and_no_others)
{
	cr_assert_eq(hub_sim_run(1, NULL, look_up, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(names.v4, 1);
	cr_assert_eq(names.v6, 1);
	cr_assert_eq(names.unknown, EAI_NONAME);
	cr_assert_eq(names.lonely, EHOSTUNREACH);
}

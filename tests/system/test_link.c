/* Peers behind a link that is cut, and peers that are there and take nothing. The link is a tun
 * device in each of two network namespaces, and a thread that carries packets between them. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

static struct server server;
static char folder[FOLDER_SIZE];

static void
end(void)
{
	server_clean(&server);
	if (folder[0] != '\0')
		folder_remove(folder);
}

TestSuite(link, .fini = end, .timeout = 600);

/* ---- the link ---- */

static int tuns[2];
static atomic_bool is_cut;

static bool
bring_up(const char *name, const char *address)
{
	struct ifreq request = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_up = true;

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = inet_addr(address);
	is_up = is_up && ioctl(fd, SIOCSIFADDR, &request) == 0;
	in->sin_addr.s_addr = inet_addr("255.255.255.0");
	is_up = is_up && ioctl(fd, SIOCSIFNETMASK, &request) == 0;
	is_up = is_up && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
	request.ifr_flags |= IFF_UP;
	is_up = is_up && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return is_up;
}

/* Moves this process into a new network namespace, with one end of the link. Returns its
 * descriptor, or -1. */
static int
new_network(const char *address)
{
	struct ifreq request = {.ifr_name = "link0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd;

	if (unshare(CLONE_NEWNET) != 0 || !bring_up("lo", "127.0.0.1"))
		return -1;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || ioctl(fd, TUNSETIFF, &request) != 0 || !bring_up("link0", address))
		return -1;
	return fd;
}

static void *
carry(void *unused)
{
	static char packet[65536];

	for (;;) {
		struct pollfd queries[] = {{tuns[0], POLLIN, 0}, {tuns[1], POLLIN, 0}};

		poll(queries, 2, -1);
		for (int i = 0; i < 2; i++) {
			ssize_t length = read(tuns[i], packet, sizeof packet);

			if (length > 0 && !atomic_load(&is_cut))
				(void)!write(tuns[1 - i], packet, (size_t)length);
		}
	}
	return unused;
}

/* Makes the link, with count sockets at its other end. Skips the test where that is not
 * permitted. */
static void
make_link(int *clients, int count)
{
	pthread_t carrier;

	tuns[1] = new_network("10.9.9.2");
	for (int i = 0; i < count; i++)
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	tuns[0] = new_network("10.9.9.1");
	if (tuns[0] == -1 || tuns[1] == -1)
		cr_skip_test("no networks of our own, or no tun device");
	cr_assert_eq(pthread_create(&carrier, NULL, carry, NULL), 0);
	pthread_detach(carrier);
}

static bool
connect_over_link(int client)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((in_port_t)server_port(&server, "10.9.9.1:")),
		.sin_addr.s_addr = inet_addr("10.9.9.1")};

	return connect(client, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool
is_left(void *unused)
{
	(void)unused;
	return server_number(&server, "connections") == 0;
}

static void
write_options(const char *path, const char *options)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs(options, file);
	fclose(file);
}

/* ---- the tests ---- */

Test(link, peers_behind_a_cut_one_are_given_up)
{
	int clients[2], waiting;

	make_link(clients, 2);
	waiting = clients[1];
	cr_assert(server_start(&server, "waits", "1", "1", "--listen=10.9.9.1:0", "--keepalive=4",
		"--write-timeout=4", NULL));
	/* One client is silent, and the other one waits for an answer. */
	for (int i = 0; i < 2; i++) {
		cr_assert(connect_over_link(clients[i]));
		cr_assert(client_exchange(clients[i], "hello\n", "HELLO\n"));
	}
	cr_assert_eq(server_number(&server, "connections"), 2);
	cr_assert_eq(send(waiting, "work 2000\n", 10, 0), 10);
	poll(NULL, 0, 500);
	atomic_store(&is_cut, true);
	cr_assert(wait_until(is_left, NULL, 40), "they stay for ever");
}

Test(link, a_reload_changes_what_the_kernel_asks)
{
	char file[FOLDER_SIZE + 16], argument[FOLDER_SIZE + 32];
	int client;

	make_link(&client, 1);
	cr_assert(folder_make(folder));
	snprintf(file, sizeof file, "%s/options", folder);
	snprintf(argument, sizeof argument, "@%s", file);
	write_options(file, "--keepalive=0\n--write-timeout=2\n");
	cr_assert(server_start(&server, "waits", "1", "1", "--listen=10.9.9.1:0", argument, NULL));
	write_options(file, "--keepalive=2\n--write-timeout=2\n");
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert(connect_over_link(client));
	cr_assert(client_exchange(client, "hello\n", "HELLO\n"));
	/* Until the answer is acknowledged. */
	poll(NULL, 0, 500);
	atomic_store(&is_cut, true);
	cr_assert(wait_until(is_left, NULL, 40));
}

Test(link, one_that_answers_and_has_closed_its_window_is_left_alone)
{
	static char bytes[65536];
	int client, small = 4096;
	ssize_t got;

	make_link(&client, 1);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--listen=10.9.9.1:0",
		"--keepalive=4", "--write-timeout=100", NULL));
	setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	cr_assert(connect_over_link(client));
	memset(bytes, 'a', sizeof bytes);
	cr_assert_eq(send(client, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
	/* Several times as long as a peer that does not answer would be kept. */
	poll(NULL, 0, 20000);
	cr_assert_eq(server_number(&server, "connections"), 1);
	for (size_t left = sizeof bytes; left > 0; left -= (size_t)got) {
		got = recv(client, bytes, sizeof bytes < left ? sizeof bytes : left, 0);
		cr_assert_gt(got, 0, "it is cut off with %zu bytes to come", left);
	}
	close(client);
}

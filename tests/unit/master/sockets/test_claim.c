#include "master/sockets/claim.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"

static char folder[FOLDER_SIZE];

static void
start(void)
{
	cr_assert(folder_make(folder));
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(claim, .init = start, .fini = end, .timeout = 30);

static struct address
parsed(const char *text)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	cr_assert_geq(address_parse(text, addresses, &why), 1, "%s", text);
	return addresses[0];
}

static struct address
at_path(const char *name)
{
	char text[2 * ADDRESS_TEXT_SIZE + 64];

	snprintf(text, sizeof text, "unix:%s%s", folder, name);
	return parsed(text);
}

/* A listening socket of somebody else at that address, whose port becomes known. */
static int
occupy(struct address *address)
{
	int type = address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(address->socket.ss_family, type, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address->socket, address->length), 0);
	if (type == SOCK_STREAM)
		cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address->socket, &address->length), 0);
	return fd;
}

/* A port that is free. */
static unsigned
free_port(void)
{
	struct address address = parsed("127.0.0.1:0");

	close(occupy(&address));
	return address_port(&address);
}

static void
assert_heard(const char *expected)
{
	const char *heard = complaint_heard();

	cr_assert_not_null(strstr(heard, expected), "no '%s' in %s", expected, heard);
}

/* ---- the lock on an address ---- */

Test(claim, an_address_is_had_by_one_until_its_descriptor_is_closed)
{
	struct address address = parsed("127.0.0.1:0");
	int first, before = open_descriptors();

	address_set_port(&address, free_port());
	first = claim_address(&address);
	cr_assert_neq(first, -1);
	complaint_listen();
	cr_assert_eq(claim_address(&address), -1);
	assert_heard("another hubbub server has it");
	close(first);
	first = claim_address(&address);
	cr_assert_neq(first, -1);
	close(first);
	cr_assert_eq(open_descriptors(), before);
}

Test(claim, kinds_ports_and_addresses_are_each_their_own)
{
	unsigned port = free_port();
	struct address addresses[4] = {parsed("127.0.0.1:0"), parsed("udp:127.0.0.1:0"),
		parsed("127.0.0.2:0"), parsed("[::1]:0")};
	int fds[4];

	for (int i = 0; i < 4; i++) {
		address_set_port(&addresses[i], port);
		fds[i] = claim_address(&addresses[i]);
		cr_assert_neq(fds[i], -1, "%d", i);
	}
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* By what its folder is, not by what it is called. */
Test(claim, a_path_has_one_lock_however_it_is_spelled)
{
	struct address plain = at_path("/socket"), winding = at_path("/./socket"), other;
	char link[FOLDER_SIZE + 8];
	int fd = claim_address(&plain);

	cr_assert_neq(fd, -1);
	complaint_listen();
	cr_assert_eq(claim_address(&winding), -1);
	snprintf(link, sizeof link, "%s/link", folder);
	cr_assert_eq(symlink(folder, link), 0);
	winding = at_path("/link/socket");
	cr_assert_eq(claim_address(&winding), -1);
	complaint_heard();
	other = at_path("/socket2");
	close(fd);
	fd = claim_address(&other);
	cr_assert_neq(fd, -1);
	close(fd);
}

/* Two names of that length, which differ in one character; stores the second one. */
static void
claim_two(size_t length, size_t from_end, int fds[2], struct address *second)
{
	char name[80] = "/";

	memset(name + 1, 'x', length - 1);
	for (int i = 0; i < 2; i++) {
		name[length - from_end] = (char)('a' + i);
		*second = at_path(name);
		fds[i] = claim_address(second);
		cr_assert_neq(fds[i], -1);
	}
}

Test(claim, long_paths_in_one_folder_are_told_apart)
{
	struct address second;
	int fds[2];

	claim_two(61, 1, fds, &second);
	close(fds[0]);
	close(fds[1]);
}

/* Also those that begin with the same 64 characters, and end alike. */
Test(claim, the_longest_names_are_told_apart)
{
	struct address second;
	int fds[2];

	claim_two(74, 5, fds, &second);
	complaint_listen();
	cr_assert_eq(claim_address(&second), -1, "each is still locked");
	assert_heard("to share it on purpose");
	close(fds[0]);
	close(fds[1]);
}

Test(claim, a_path_in_no_folder_is_refused)
{
	struct address address = at_path("/nowhere/socket");

	complaint_listen();
	cr_assert_eq(claim_address(&address), -1);
	assert_heard("there is no such directory");
}

Test(claim, two_that_start_on_one_port_wait_for_each_other)
{
	struct address one = parsed("127.0.0.1:0"), all = parsed(":0"), datagrams;
	int first, second;
	int64_t began;

	address_set_port(&one, free_port());
	address_set_port(&all, address_port(&one));
	first = claim_port(&one);
	cr_assert_neq(first, -1);
	datagrams = parsed("udp:127.0.0.1:0");
	address_set_port(&datagrams, address_port(&one));
	second = claim_port(&datagrams);
	cr_assert_neq(second, -1, "another kind is another port");
	close(second);
	complaint_listen();
	began = clock_now();
	cr_assert_eq(claim_port(&all), -1);
	cr_assert_gt(clock_now() - began, CLOCK_SECOND);
	assert_heard("another server is starting on port");
	close(first);
	second = claim_port(&all);
	cr_assert_neq(second, -1);
	close(second);
}

/* ---- who is there already ---- */

Test(claim, a_free_port_is_free_and_stays_so)
{
	struct address addresses[2] = {parsed("127.0.0.1:0"), parsed("udp:127.0.0.1:0")};
	int before = open_descriptors();

	for (int i = 0; i < 2; i++) {
		address_set_port(&addresses[i], free_port());
		cr_assert(claim_probe(&addresses[i]) == 0 && claim_probe(&addresses[i]) == 0);
	}
	cr_assert_eq(open_descriptors(), before);
}

Test(claim, who_is_on_the_port_is_named)
{
	static const char *const written[] = {"127.0.0.1:0", "udp:127.0.0.1:0"};

	for (size_t i = 0; i < 2; i++) {
		struct address address = parsed(written[i]);
		int fd = occupy(&address);
		char expected[64];

		complaint_listen();
		cr_assert_eq(claim_probe(&address), -1, "%s", written[i]);
		snprintf(expected, sizeof expected, "in use by pid %d (", (int)getpid());
		assert_heard(expected);
		close(fd);
	}
}

Test(claim, a_file_that_a_killed_server_left_is_removed)
{
	struct address address = at_path("/socket");
	int fd = occupy(&address);

	complaint_listen();
	cr_assert_eq(claim_probe(&address), -1, "somebody listens");
	assert_heard("in use by pid");
	cr_assert_eq(access(address_path(&address), F_OK), 0);
	close(fd);
	cr_assert_eq(claim_probe(&address), 0);
	cr_assert_neq(access(address_path(&address), F_OK), 0);
	cr_assert_eq(claim_probe(&address), 0, "nothing there is as good");
}

/* A backlog that is full is somebody's. */
Test(claim, one_that_does_not_accept_is_there_all_the_same)
{
	struct address address = at_path("/socket");
	int fd = occupy(&address), clients[3];

	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(clients[i], (struct sockaddr *)&address.socket, address.length);
	}
	complaint_listen();
	cr_assert_eq(claim_probe(&address), -1);
	assert_heard("in use by pid");
	cr_assert_eq(access(address_path(&address), F_OK), 0);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	close(fd);
}

Test(claim, what_is_no_socket_is_not_removed)
{
	struct address address = at_path("/file"), dead = at_path("/socket"),
		       link = at_path("/link");
	FILE *stream = fopen(address_path(&address), "w");

	cr_assert_not_null(stream);
	fclose(stream);
	complaint_listen();
	cr_assert_eq(claim_probe(&address), -1);
	assert_heard("the file there is not a socket; choose another path");
	cr_assert_eq(access(address_path(&address), F_OK), 0);
	/* Nor is a link, even to a socket that a killed server left. */
	close(occupy(&dead));
	cr_assert_eq(symlink(address_path(&dead), address_path(&link)), 0);
	complaint_listen();
	cr_assert_eq(claim_probe(&link), -1);
	assert_heard("the file there is not a socket");
	cr_assert_eq(access(address_path(&link), F_OK), 0);
}

/* ---- names ---- */

/* Two addresses of one name: the server can do without the one that this machine does not have,
 * if it has the other one. */
static void
make_name(struct address addresses[2], const char *first, const char *second)
{
	addresses[0] = parsed(first);
	addresses[1] = parsed(second);
	addresses[0].name = addresses[1].name = 3;
	addresses[0].is_alternative = addresses[1].is_alternative = true;
}

Test(claim, what_the_machine_does_not_have_is_spared_if_the_name_has_another)
{
	struct address addresses[2];

	make_name(addresses, "198.51.100.1:0", "127.0.0.1:0");
	complaint_listen();
	cr_assert(claim_can_spare(addresses, 2, 0));
	assert_heard("no interface of this machine has it");
	cr_assert_not(claim_can_spare(addresses, 2, 1), "it is there");
	addresses[1].name = 4;
	cr_assert_not(claim_can_spare(addresses, 2, 0), "the other one is another name's");
	make_name(addresses, "198.51.100.1:0", "198.51.100.2:0");
	cr_assert_not(claim_can_spare(addresses, 2, 0), "it has none at all");
	make_name(addresses, "198.51.100.1:0", "127.0.0.1:0");
	addresses[0].is_alternative = false;
	cr_assert_not(claim_can_spare(addresses, 2, 0), "it was asked for by itself");
}

Test(claim, the_second_address_of_a_name_follows_the_port_of_the_first)
{
	struct address addresses[2], *first = &addresses[0], *second = &addresses[1], taken;
	int fd;

	make_name(addresses, "127.0.0.1:0", "127.0.0.2:0");
	cr_assert_eq(claim_follow_port(addresses, 0), 0);
	cr_assert(address_is_open(first), "the first has nobody to follow");
	address_set_port(first, free_port());
	cr_assert_eq(claim_follow_port(addresses, 1), 0);
	cr_assert_eq(address_port(second), address_port(first));
	/* It may be taken there. */
	make_name(addresses, "127.0.0.1:0", "127.0.0.2:0");
	taken = parsed("127.0.0.2:0");
	fd = occupy(&taken);
	address_set_port(first, address_port(&taken));
	cr_assert_eq(claim_follow_port(addresses, 1), EADDRINUSE);
	close(fd);
	make_name(addresses, "127.0.0.1:0", "udp:127.0.0.2:0");
	address_set_port(first, 1);
	cr_assert_eq(claim_follow_port(addresses, 1), 0);
	cr_assert(address_is_open(second), "another kind has other ports");
}

static void
close_all(int fds[static ADDRESSES_MAX])
{
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		if (fds[i] != -1)
			close(fds[i]);
		fds[i] = -1;
	}
}

/* Which of the addresses have a socket there, and how many ports those sockets have: "yes yes no;
 * ports: 1". */
static const char *
listening(const int *fds, unsigned count)
{
	static char text[64];
	size_t length = 0;
	in_port_t ports = 0, port = 0;

	for (unsigned i = 0; i < count; i++) {
		struct sockaddr_in own;
		socklen_t size = sizeof own;

		length += (size_t)snprintf(
			text + length, sizeof text - length, "%s ", fds[i] == -1 ? "no" : "yes");
		if (fds[i] == -1)
			continue;
		cr_assert_eq(getsockname(fds[i], (struct sockaddr *)&own, &size), 0);
		ports += own.sin_port != port;
		port = own.sin_port;
	}
	snprintf(text + length - 1, sizeof text - length + 1, "; ports: %u", ports);
	return text;
}

Test(claim, the_master_listens_on_one_port_of_all_that_a_name_has)
{
	struct address addresses[3];
	int fds[ADDRESSES_MAX], before = open_descriptors();

	memset(fds, -1, sizeof fds);
	make_name(addresses, "127.0.0.1:0", "127.0.0.2:0");
	addresses[2] = parsed("198.51.100.1:0");
	addresses[2].name = 3;
	addresses[2].is_alternative = true;
	complaint_listen();
	cr_assert_eq(claim_listen(addresses, 3, "admin", fds), 0);
	assert_heard("not listening on 198.51.100.1:0");
	cr_assert_str_eq(listening(fds, 3), "yes yes no; ports: 1");
	close_all(fds);
	cr_assert_eq(open_descriptors(), before);
}

Test(claim, the_master_listens_on_all_or_none)
{
	struct address addresses[2], taken = parsed("127.0.0.2:0");
	int fds[ADDRESSES_MAX], fd = occupy(&taken), before = open_descriptors();

	memset(fds, -1, sizeof fds);
	make_name(addresses, "127.0.0.1:0", "127.0.0.2:0");
	for (int i = 0; i < 2; i++)
		address_set_port(&addresses[i], address_port(&taken));
	complaint_listen();
	cr_assert_eq(claim_listen(addresses, 2, "agent", fds), -1);
	assert_heard("that address is --agent's");
	cr_assert_str_eq(listening(fds, 2), "no no; ports: 0");
	cr_assert_eq(open_descriptors(), before);
	close(fd);
}

/* ---- what is said ---- */

Test(claim, each_error_says_what_to_do)
{
	static const struct {
		const char *address;
		int error;
		const char *says;
	} cases[] = {
		{"127.0.0.1:1", EADDRINUSE, "stop that, or choose another address"},
		{"unix:/a", ENOTSOCK, "choose another path, or move it away"},
		{"198.51.100.1:9", EADDRNOTAVAIL, "'ip address' lists its addresses"},
		{"[::1]:443", EACCES, "setcap cap_net_bind_service+ep', to everybody by 'sys"},
		{"unix:/a", EACCES, "this user may not write to its directory"},
		{"127.0.0.1:80", EMFILE, "Too many open files"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct address address = parsed(cases[i].address);

		complaint_listen();
		claim_explain(&address, cases[i].error);
		assert_heard(cases[i].says);
	}
}
